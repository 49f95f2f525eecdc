// SPDX-License-Identifier: Apache-2.0
// Samples the threads of watched processes from /proc where BPF is refused: only the lists in
// PID/task and the status files, which take no lock of the target (3.10 to 6.18). Sees states and
// context switches, no calls: a thread in S may wait for FUSE, and nobody can tell here. What the
// process completes comes from whoever may read /proc/PID/io (it can hang): set_calls().
// Allocates nothing after open(); about 40 µs per thread.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/probe/thread_sample.h"

namespace stallproof {

class TargetProc {
 public:
  static Result<TargetProc> open(const std::string& proc_root = "/proc");

  // False when 1024 are watched.
  bool watch(pid_t tgid) noexcept;
  void unwatch(pid_t tgid) noexcept;
  // Calls the process has completed in all, read at `at`. Growth below 1/64 of what is usual (a
  // line of a log) is kept back: it must not pass for progress of the load.
  void set_calls(pid_t tgid, std::uint64_t calls, Nanos at) noexcept;
  // All threads of the watched processes, and for each process whose calls are known one sample
  // more, with the negative tgid for a tid, that carries them. What it has for time in user mode is
  // the time between two looks that both saw a thread running: more would have to be asked of files
  // that can hang.
  std::span<const ThreadSample> sample() noexcept;
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  struct Process {
    pid_t tgid = 0;
    std::uint64_t calls = 0;  // as last told
    std::uint64_t shown = 0;  // without what was kept back
    double usual = 0;         // growth per look, smoothed
    Nanos at_ns = 0;          // 0: never told
    Nanos ran_ns = 0;         // between looks that saw a thread of it running
    bool ran = false;         // so did the look before
  };
  TargetProc() = default;
  Process* find(pid_t tgid) noexcept;
  void sample_process(Process& process) noexcept;
  void add_thread(int task_dir, pid_t tgid, const char* tid) noexcept;

  std::string proc_root_;
  std::array<Process, 1024> processes_{};
  std::vector<ThreadSample> samples_;
  std::size_t count_ = 0;
  bool truncated_ = false;
  bool one_runs_ = false;  // of the process that is being sampled
  Nanos sampled_ns_ = 0;   // time of the sample before; 0: none
  Nanos interval_ns_ = 0;
};

// One status file. Pure; nullopt when it is none.
bool parse_thread_status(std::string_view text, ThreadSample& into);

}  // namespace stallproof
