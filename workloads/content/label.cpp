// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/label.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kChunk = 1U << 20U;

Result<> fill(const LabelledFile& named, const Fd& file, std::uint64_t from, std::uint64_t to) {
  std::vector<std::byte> chunk(kChunk);
  for (std::uint64_t at = from; at < to;) {
    const std::uint64_t size = std::min(kChunk, to - at);
    fill_pattern(at, {chunk.data(), size});
    const ssize_t put = ::pwrite(file.get(), chunk.data(), size, static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    const int error = put == 0 ? ENOSPC : errno;
    if (put <= 0)
      return fail_errno(
          fmt::format("{}: fill {} at {} of {} bytes", named.load, named.path, at, to), error,
          error == ENOSPC ? "a smaller file size, or more space" : "");
    at += static_cast<std::uint64_t>(put);
  }
  return {};
}

}  // namespace

std::string LabelledFile::place(const char* what) const {
  return fmt::format("{}: {} {}", load, what, path);
}

Result<Label> read_label(const LabelledFile& named, const Fd& file, std::uint64_t at) {
  std::array<std::byte, kPage> page;
  const ssize_t got = ::pread(file.get(), page.data(), page.size(), static_cast<off_t>(at));
  if (got < 0) return fail_errno(named.place("read"), errno);
  const auto whole = static_cast<std::size_t>(got) / sizeof(std::uint64_t) * sizeof(std::uint64_t);
  if (whole == 0) return got == 0 ? Label::filling : Label::foreign;
  for (const Label label : {Label::pristine, Label::changed, Label::filling})
    if (!first_wrong_stamp(at, static_cast<Generation>(label), {page.data(), whole})) return label;
  const bool zeros = std::all_of(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(whole),
                                 [](std::byte each) { return each == std::byte{0}; });
  return zeros ? Label::blank : Label::foreign;
}

Result<> write_label(const LabelledFile& named, const Fd& file, std::uint64_t at, Label label) {
  std::array<std::byte, kPage> page;
  fill_stamp(at, static_cast<Generation>(label), page);
  const ssize_t put = ::pwrite(file.get(), page.data(), page.size(), static_cast<off_t>(at));
  if (put == static_cast<ssize_t>(page.size())) return {};
  return fail_errno(named.place("write the first page of"), put < 0 ? errno : ENOSPC);
}

Result<> fill_range(const LabelledFile& named, const Fd& file, const FileRange& range,
                    std::uint64_t from, Label done) {
  if (auto put = write_label(named, file, range.begin, Label::filling); !put) return put;
  if (::fdatasync(file.get()) != 0) return fail_errno(named.place("fsync"), errno);
  if (auto put = fill(named, file, std::max(from, range.begin + kPage), range.end); !put)
    return put;
  if (auto put = write_label(named, file, range.begin, done); !put) return put;
  if (::fsync(file.get()) != 0) return fail_errno(named.place("fsync"), errno);
  return {};
}

}  // namespace stallproof
