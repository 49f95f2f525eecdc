// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/test_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "harness/base/clock.h"
#include "workloads/content/label.h"
#include "workloads/content/shared_file.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;
// Beside what it takes to write the file at the least speed that is still one.
constexpr Nanos kWaitForFiller = 10 * kSecond;
constexpr std::uint64_t kLeastSpeed = 32U << 20U;  // bytes a second
constexpr int kRetryMs = 10;

LabelledFile named(const TestFileSpec& spec) { return {spec.load, spec.path}; }

std::string place(const TestFileSpec& spec, const char* what) { return named(spec).place(what); }

Result<std::uint64_t> size_of(const TestFileSpec& spec, const Fd& file, bool must_be_regular) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(place(spec, "stat"), errno);
  if (S_ISDIR(info.st_mode) || (must_be_regular && !S_ISREG(info.st_mode)))
    return fail(place(spec, "open") + ": is not a regular file (name one to be made)");
  // Content is read by offset, so that where the file stands does not matter.
  const off_t end = S_ISREG(info.st_mode) ? info.st_size : ::lseek(file.get(), 0, SEEK_END);
  return end > 0 ? static_cast<std::uint64_t>(end) : 0;
}

// Whoever fills a file has it alone, and lets others in when it is done: that is waited for. A lock
// that the file system does not know protects nothing, and is no reason to refuse.
Result<> lock(const TestFileSpec& spec, const Fd& file, bool alone) {
  const Nanos patience = kWaitForFiller + spec.size / kLeastSpeed * kSecond;
  const Deadline give_up = Deadline::in(alone ? 0 : patience);
  for (;;) {
    if (::flock(file.get(), (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return {};
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return {};
    const auto label = read_label(named(spec), file, 0);
    if (!label || *label != Label::filling || give_up.passed()) break;
    ::poll(nullptr, 0, kRetryMs);
  }
  return fail(
      fmt::format("{}: {} is in use by another load{} (one file can be shared for reading "
                  "only: give this load a file of its own)",
                  spec.load, spec.path, alone ? "" : " that writes to it"));
}

Result<Fd> open_for(const TestFileSpec& spec, bool writable) {
  const int flags = writable ? O_RDWR : O_RDONLY;
  Fd file(::open(spec.path.c_str(), flags | O_CLOEXEC));
  if (!file.valid()) return fail_errno(place(spec, "open"), errno);
  return file;
}

struct Found {
  Fd file;
  bool made = false;  // here: then it goes when it cannot be filled
};

Result<Found> make(const TestFileSpec& spec) {
  Found found;
  found.file = Fd(::open(spec.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  found.made = found.file.valid();
  if (found.made || errno != EEXIST)
    return found.made ? Result<Found>(std::move(found)) : fail_errno(place(spec, "make"), errno);
  auto again = open_for(spec, true);
  if (!again) return Failure{again.error()};
  found.file = std::move(*again);
  return found;
}

Result<TestFile> filled(const TestFileSpec& spec, Found found) {
  const auto size = size_of(spec, found.file, true);
  if (!size) return Failure{size.error()};
  const auto label = read_label(named(spec), found.file, 0);
  if (!label) return Failure{label.error()};
  if (*label == Label::foreign || *label == Label::blank)
    return fail(
        fmt::format("{}: {} holds data that is not ours, and is left alone (name a new "
                    "file, or remove it)",
                    spec.load, spec.path));
  const std::uint64_t wanted = spec.size == 0 ? *size : spec.size;
  const bool all = spec.changes || *label != Label::pristine;
  const std::uint64_t from = all ? 0 : std::min(*size, wanted) / kPage * kPage;
  if (from < wanted || all) {
    const Label done_label = spec.changes ? Label::changed : Label::pristine;
    if (auto done = fill_range(named(spec), found.file, {0, wanted}, from, done_label); !done) {
      if (found.made) ::unlink(spec.path.c_str());
      return Failure{done.error()};
    }
  }
  return TestFile{.fd = std::move(found.file), .size = wanted};
}

Result<TestFile> open_to_change(const TestFileSpec& spec) {
  Result<Found> found{Found{}};
  if (spec.size != 0) {
    found = make(spec);
  } else {
    auto file = open_for(spec, true);
    if (!file) return Failure{file.error()};
    found->file = std::move(*file);
  }
  if (!found) return Failure{found.error()};
  if (auto locked = lock(spec, found->file, true); !locked) return Failure{locked.error()};
  return filled(spec, std::move(*found));
}

// nullopt: the file is too short, or holds what was written to it, and is to be filled by whoever
// gets it alone.
Result<std::optional<TestFile>> open_to_read(const TestFileSpec& spec) {
  auto file = open_for(spec, false);
  if (!file) return Failure{file.error()};
  if (auto locked = lock(spec, *file, false); !locked) return Failure{locked.error()};
  const auto size = size_of(spec, *file, false);
  if (!size) return Failure{size.error()};
  if (*size < spec.size) return std::optional<TestFile>{};
  const auto label = read_label(named(spec), *file, 0);
  if (!label) return Failure{label.error()};
  if ((*label == Label::changed || *label == Label::filling) && *size != 0) {
    if (spec.size != 0) return std::optional<TestFile>{};
    return fail(
        fmt::format("{}: {} was changed by a load that writes (give a file size, and it is "
                    "filled again)",
                    spec.load, spec.path));
  }
  return std::optional<TestFile>{
      TestFile{.fd = std::move(*file), .size = spec.size == 0 ? *size : spec.size}};
}

}  // namespace

Result<TestFile> open_test_file(const TestFileSpec& spec) {
  if (spec.share.shared()) return open_shared_file(spec);
  if (spec.changes) return open_to_change(spec);
  if (spec.size == 0 || ::access(spec.path.c_str(), F_OK) == 0) {
    auto found = open_to_read(spec);
    if (!found) return Failure{found.error()};
    if (*found) return std::move(**found);
  }
  {
    auto made = make(spec);
    if (!made) return Failure{made.error()};
    if (lock(spec, made->file, true)) {
      auto done = filled(spec, std::move(*made));
      if (!done) return done;
    }
  }
  // Filled by this load or, meanwhile, by another one: now as a reader among readers.
  auto found = open_to_read(spec);
  if (!found) return Failure{found.error()};
  if (!*found) return fail(place(spec, "open") + ": another load made it shorter than file-size");
  return std::move(**found);
}

}  // namespace stallproof
