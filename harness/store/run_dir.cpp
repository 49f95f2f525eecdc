// SPDX-License-Identifier: Apache-2.0
#include "harness/store/run_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/units.h"

namespace stallproof {
namespace {

// Sorts by time and never repeats on one node: local time to the millisecond and the pid.
std::string new_run_id(const std::string& stem) {
  const Nanos now = realtime_now();
  const auto seconds = static_cast<time_t>(now / kSecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}.{:03}-{}-{}", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                     now % kSecond / kMillisecond, stem, ::getpid());
}

// For the verdict and what comes with it, where the disk has become full.
constexpr off_t kReserveBytes = 256 << 10;
constexpr const char* kReserve = ".reserve";

Result<Fd> hold(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return fail_errno("open " + path, errno);
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  if (errno == EWOULDBLOCK)
    return fail(path + ": another run writes there now (give a new directory with -o)");
  return fail_errno("lock " + path, errno);
}

// Events of a run that never ended are its truth: another's must not be mixed in.
Result<> refuse_used(const RunDir& run) {
  struct stat events {};
  const bool begun = ::stat(run.file("events.jsonl").c_str(), &events) == 0 && events.st_size > 0;
  const bool judged = ::access(run.file("verdict.json").c_str(), F_OK) == 0;
  if (!begun && !judged) return {};
  return fail(fmt::format("{}: already holds {} of another run (give a new directory with -o)",
                          run.path(), judged ? "the verdict" : "the events"));
}

// On a small disk the evidence is worth more.
void keep_reserve(const std::string& path) {
  struct statvfs room {};
  if (::statvfs(path.substr(0, path.rfind('/')).c_str(), &room) != 0) return;
  if (static_cast<off_t>(room.f_bavail * room.f_frsize) < 8 * kReserveBytes) return;
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.valid() && ::posix_fallocate(file.get(), 0, kReserveBytes) != 0) ::unlink(path.c_str());
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Replaces the link by rename, so that a reader sees the old run or the new one.
void point_latest_at(const std::string& directory, const std::string& name) {
  const std::string temporary = directory + "/.latest." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  if (::symlink(name.c_str(), temporary.c_str()) == 0)
    ::rename(temporary.c_str(), (directory + "/latest").c_str());
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[4096];
  return ::getcwd(here, sizeof here) == nullptr ? path : std::string(here) + "/" + path;
}

}  // namespace

std::string state_directory() {
  std::string chosen = environment("STALLPROOF_STATE_DIR");
  if (!chosen.empty()) return chosen;
  if (::geteuid() == 0) return "/var/lib/stallproof";
  const std::string xdg = environment("XDG_STATE_HOME");
  return (xdg.empty() ? environment("HOME") + "/.local/state" : xdg) + "/stallproof";
}

Result<RunDir> RunDir::create(const Options& options) {
  RunDir run;
  run.id_ = new_run_id(options.name_stem);
  run.labels_ = options.labels;
  run.thresholds_ = options.thresholds;
  run.made_ = format_rfc3339(realtime_now());
  const std::string runs = state_directory() + "/runs";
  run.path_ = options.out.empty() ? runs + "/" + run.id_ : absolute(options.out);
  if (auto made = make_directories(run.path_ + "/incidents"); !made) return Failure(made.error());
  if (auto made = make_directories(run.path_ + "/series"); !made) return Failure(made.error());
  auto held = hold(run.path_);
  if (!held) return Failure(held.error());
  run.lock_ = std::move(*held);
  if (auto unused = refuse_used(run); !unused) return Failure(unused.error());
  const std::string events = run.file("events.jsonl");
  run.events_ = Fd(::open(events.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!run.events_.valid())
    return fail_errno("create " + events, errno, "give a writable place with -o");
  // A full disk shows now and not when there is evidence to keep.
  if (auto probe = write_file_atomically(run.file("run.id"), run.id_ + "\n"); !probe)
    return Failure(probe.error());
  keep_reserve(run.file(kReserve));
  if (options.out.empty()) point_latest_at(runs, run.id_);
  return run;
}

void RunDir::append_event(std::string_view json_line) {
  if (echo_) echo_(json_line);
  std::string line(json_line);
  line += '\n';
  struct stat before {};
  const bool known = ::fstat(events_.get(), &before) == 0;
  const ssize_t n = ::write(events_.get(), line.data(), line.size());
  if (n != static_cast<ssize_t>(line.size())) {
    remember(fail_errno("append to " + file("events.jsonl"), n < 0 ? errno : ENOSPC));
    // Half a line would spoil the next one.
    if (n > 0 && known && ::ftruncate(events_.get(), before.st_size) != 0)
      remember(fail_errno("cut " + file("events.jsonl"), errno));
    return;
  }
  if (::fdatasync(events_.get()) != 0) remember(fail_errno("sync " + file("events.jsonl"), errno));
}

void RunDir::save(std::string_view name, std::string_view content) {
  const std::string path = file(name);
  const auto slash = path.rfind('/');
  if (auto made = make_directories(path.substr(0, slash)); !made) return remember(made);
  remember(write_file_atomically(path, content));
}

RunDir::~RunDir() {
  if (lock_.valid()) free_reserve();
}

void RunDir::free_reserve() { ::unlink(file(kReserve).c_str()); }

bool run_is_held(const std::string& directory) {
  const Fd held(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return held.valid() && ::flock(held.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void RunDir::remember(const Result<>& result) {
  if (!result && problem_.empty()) problem_ = result.error().what;
}

}  // namespace stallproof
