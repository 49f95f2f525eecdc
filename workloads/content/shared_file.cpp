// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/shared_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "workloads/content/label.h"
#include "workloads/content/stamp.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kChunk = 1U << 20U;

LabelledFile named(const TestFileSpec& spec) { return {spec.load, spec.path}; }

Result<Fd> open_or_make(const TestFileSpec& spec) {
  Fd file(::open(spec.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid()) return fail_errno(named(spec).place("make"), errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(named(spec).place("stat"), errno);
  if (!S_ISREG(info.st_mode))
    return fail(named(spec).place("open") + ": is not a regular file (name one to be made)");
  return file;
}

Result<> lock(const TestFileSpec& spec, const Fd& file, const FileRange& range) {
  struct flock wanted {};
  wanted.l_type = spec.share.many_writers ? F_RDLCK : F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = static_cast<off_t>(range.begin);
  wanted.l_len = static_cast<off_t>(range.end - range.begin);
  if (::fcntl(file.get(), F_OFD_SETLK, &wanted) == 0) return {};
  if (errno != EAGAIN && errno != EACCES) return {};
  return fail(
      fmt::format("{}: bytes {} to {} of {} are in use by another load (each needs a part "
                  "of its own, or file-writers=many for all)",
                  spec.load, range.begin, range.end, spec.path));
}

// A label of zeros is ours to write only where nothing but zeros follows it.
Result<bool> holds_nothing(const TestFileSpec& spec, const Fd& file, const FileRange& range) {
  std::vector<std::byte> chunk(kChunk);
  for (std::uint64_t at = range.begin; at < range.end;) {
    const std::uint64_t size = std::min(kChunk, range.end - at);
    const ssize_t got = ::pread(file.get(), chunk.data(), size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(named(spec).place("read"), errno);
    if (got == 0) return true;
    if (std::any_of(chunk.begin(), chunk.begin() + got,
                    [](std::byte each) { return each != std::byte{0}; }))
      return false;
    at += static_cast<std::uint64_t>(got);
  }
  return true;
}

// A page of ours, whichever of us wrote it and when.
Result<bool> holds_stamps(const TestFileSpec& spec, const Fd& file, std::uint64_t at) {
  std::array<std::uint64_t, kPage / sizeof(std::uint64_t)> page{};
  const ssize_t got = ::pread(file.get(), page.data(), kPage, static_cast<off_t>(at));
  if (got < 0) return fail_errno(named(spec).place("read"), errno);
  const auto words = static_cast<std::size_t>(got) / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < words; ++i)
    if (!generation_of(at + i * sizeof(std::uint64_t), page[i])) return false;
  return words > 0;
}

Result<Label> label_of(const TestFileSpec& spec, const Fd& file, const FileRange& range) {
  const auto label = read_label(named(spec), file, range.begin);
  if (label && *label == Label::foreign && spec.share.parts > 1) {
    const auto ours = holds_stamps(spec, file, range.begin);
    if (!ours) return Failure{ours.error()};
    return *ours ? Label::filling : Label::foreign;
  }
  if (!label || *label != Label::blank) return label;
  const auto nothing = holds_nothing(spec, file, range);
  if (!nothing) return Failure{nothing.error()};
  return *nothing ? Label::filling : Label::foreign;
}

// What a part holds must be pattern when its only writer begins; where all write, any write of any
// of them may be there.
bool is_ready(const TestFileSpec& spec, Label label) {
  // Pattern at its beginning is not pattern throughout: it may have been divided otherwise.
  return spec.share.many_writers && label == Label::changed;
}

Result<> make_ready(const TestFileSpec& spec, const Fd& file, const FileRange& range) {
  const auto label = label_of(spec, file, range);
  if (!label) return Failure{label.error()};
  if (*label == Label::foreign)
    return fail(
        fmt::format("{}: {} holds data at {} that is not ours, and is left alone (name a "
                    "new file, or remove it)",
                    spec.load, spec.path, range.begin));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(named(spec).place("stat"), errno);
  const bool long_enough = static_cast<std::uint64_t>(info.st_size) >= range.end;
  if (long_enough && is_ready(spec, *label)) return {};
  const bool keeps = spec.share.many_writers || spec.changes;
  return fill_range(named(spec), file, range, range.begin,
                    keeps ? Label::changed : Label::pristine);
}

}  // namespace

Result<TestFile> open_shared_file(const TestFileSpec& spec) {
  if (spec.size == 0)
    return fail(
        fmt::format("{}: a file that is shared needs its size (give a file size)", spec.load));
  const FileRange range = range_of(spec.share, spec.size);
  if (range.end - range.begin < 2 * kPage)
    return fail(
        fmt::format("{}: {} bytes in {} parts leave less than two pages for each (a larger "
                    "file size)",
                    spec.load, spec.size, spec.share.parts));
  auto file = open_or_make(spec);
  if (!file) return Failure{file.error()};
  if (auto locked = lock(spec, *file, range); !locked) return Failure{locked.error()};
  if (auto ready = make_ready(spec, *file, range); !ready) return Failure{ready.error()};
  return TestFile{.fd = std::move(*file), .begin = range.begin, .size = range.end - range.begin};
}

}  // namespace stallproof
