// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/file_share.h"

#include <fmt/format.h>

#include "harness/base/units.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMebibyte = 1U << 20U;
constexpr std::uint64_t kMostParts = 65536;

}  // namespace

Result<FileShare> read_file_share(const Settings& settings) {
  FileShare share;
  const auto writers = settings.choice("file-writers", "one", {"one", "many"});
  if (!writers) return Failure{writers.error()};
  share.many_writers = *writers == "many";
  const std::string part = settings.text("file-part", "all");
  if (part == "all") return share;
  const auto slash = part.find('/');
  const auto number = parse_count(part.substr(0, slash));
  const auto of = parse_count(slash == std::string::npos ? "" : part.substr(slash + 1));
  if (!number || !of || *number == 0 || *number > *of || *of > kMostParts)
    return fail(
        fmt::format("file-part: '{}' is neither all nor as 2/3, the second of three", part));
  if (share.many_writers)
    return fail("file-writers: a part of a file has one writer (leave out file-part)");
  share.part = static_cast<unsigned>(*number);
  share.parts = static_cast<unsigned>(*of);
  return share;
}

FileRange range_of(const FileShare& share, std::uint64_t file_size) {
  const std::uint64_t each = file_size / share.parts;
  const std::uint64_t step = each >= kMebibyte ? kMebibyte : kPage;
  const std::uint64_t length = each / step * step;
  if (share.parts == 1) return {0, file_size};
  return {(share.part - 1) * length, share.part * length};
}

}  // namespace stallproof
