// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/target_proc.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr double kSmooth = 0.1;
constexpr double kShare = 1.0 / 64;

// What getdents64 writes (include/linux/dirent.h); opendir would allocate.
struct DirEntry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short size;
  unsigned char type;
};
constexpr std::size_t kNameAt = 19;

std::uint64_t number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

ThreadWait wait_of_state(char state) {
  switch (state) {
    case 'D':
      return ThreadWait::file_system;
    case 'T':
    case 't':
    case 'I':
    case 'Z':
    case 'X':
      return ThreadWait::excluded;
    default:
      return ThreadWait::none;
  }
}

}  // namespace

bool parse_thread_status(std::string_view text, ThreadSample& into) {
  if (!text.starts_with("Name:\t")) return false;
  const std::size_t state = text.find("\nState:\t");
  const std::size_t end = text.find('\n');
  if (state == std::string_view::npos || state + 8 >= text.size()) return false;
  into.wait = wait_of_state(text[state + 8]);
  into.file_work = into.wait == ThreadWait::file_system;
  into.switches = number_after(text, "\nvoluntary_ctxt_switches:") +
                  number_after(text, "\nnonvoluntary_ctxt_switches:");
  into.comm.fill('\0');
  const std::size_t length = std::min(end - 6, into.comm.size() - 1);
  std::memcpy(into.comm.data(), text.data() + 6, length);
  return true;
}

Result<TargetProc> TargetProc::open(const std::string& proc_root) {
  if (::access((proc_root + "/self/status").c_str(), R_OK) != 0)
    return fail_errno(proc_root + "/self/status", errno, "mount -t proc proc /proc",
                      Origin::lacking);
  TargetProc made;
  made.proc_root_ = proc_root;
  made.samples_.assign(kMaxSampledThreads, ThreadSample{});
  return made;
}

TargetProc::Process* TargetProc::find(pid_t tgid) noexcept {
  for (Process& process : processes_)
    if (process.tgid == tgid) return &process;
  return nullptr;
}

bool TargetProc::watch(pid_t tgid) noexcept {
  Process* const free = find(0);
  if (free != nullptr) *free = Process{.tgid = tgid};
  return free != nullptr;
}

void TargetProc::unwatch(pid_t tgid) noexcept {
  if (Process* const known = find(tgid)) *known = Process{};
}

void TargetProc::set_calls(pid_t tgid, std::uint64_t calls, Nanos at) noexcept {
  Process* const process = find(tgid);
  if (process == nullptr || at <= process->at_ns) return;
  const std::uint64_t grown = calls > process->calls ? calls - process->calls : 0;
  if (process->at_ns != 0) {
    if (static_cast<double>(grown) >= process->usual * kShare) process->shown += grown;
    process->usual += kSmooth * (static_cast<double>(grown) - process->usual);
  }
  process->calls = calls;
  process->at_ns = at;
}

std::span<const ThreadSample> TargetProc::sample() noexcept {
  count_ = 0;
  truncated_ = false;
  const Nanos now = monotonic_now();
  interval_ns_ = sampled_ns_ == 0 ? 0 : now - sampled_ns_;
  sampled_ns_ = now;
  for (Process& process : processes_)
    if (process.tgid != 0) sample_process(process);
  return {samples_.data(), count_};
}

void TargetProc::sample_process(Process& process) noexcept {
  one_runs_ = false;
  std::array<char, 64> path;
  const auto end =
      fmt::format_to_n(path.data(), path.size() - 1, "{}/{}/task", proc_root_, process.tgid);
  *end.out = '\0';
  const Fd folder(::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return;
  alignas(8) std::array<char, 8192> entries;
  for (;;) {
    const long got = ::syscall(SYS_getdents64, folder.get(), entries.data(), entries.size());
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      DirEntry entry;
      std::memcpy(&entry, entries.data() + at, kNameAt);
      const char* const name = entries.data() + at + kNameAt;
      if (name[0] >= '0' && name[0] <= '9') add_thread(folder.get(), process.tgid, name);
      at += entry.size;
    }
  }
  if (one_runs_ && process.ran) process.ran_ns += interval_ns_;
  process.ran = one_runs_;
  if (process.at_ns == 0 || count_ == samples_.size()) return;
  samples_[count_++] = ThreadSample{.tid = -process.tgid,
                                    .tgid = process.tgid,
                                    .completed = process.shown,
                                    .switches = process.shown,
                                    .user_ns = process.ran_ns,
                                    .ran_ns = process.at_ns,
                                    .file_work = process.shown > 0};
}

void TargetProc::add_thread(int task_dir, pid_t tgid, const char* tid) noexcept {
  if (count_ == samples_.size()) {
    truncated_ = true;
    return;
  }
  std::array<char, 32> path;
  const auto end = fmt::format_to_n(path.data(), path.size() - 1, "{}/status", tid);
  *end.out = '\0';
  const Fd file(::openat(task_dir, path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> text;
  const ssize_t size = file.valid() ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return;
  ThreadSample& sample = samples_[count_];
  sample =
      ThreadSample{.tid = static_cast<std::int32_t>(std::strtol(tid, nullptr, 10)), .tgid = tgid};
  const std::string_view status(text.data(), static_cast<std::size_t>(size));
  if (!parse_thread_status(status, sample)) return;
  ++count_;
  if (status.find("\nState:\tR") != std::string_view::npos) one_runs_ = true;
}

}  // namespace stallproof
