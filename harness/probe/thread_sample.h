// SPDX-License-Identifier: Apache-2.0
// One thread of a watched process at one moment, as plain data: by BPF (target_scan.h) or from
// /proc (target_proc.h). Judged by detect/target_progress.h.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

enum class ThreadWait : std::uint8_t {
  none,         // runs, or waits for something that is no file system
  file_system,  // sleeps in the kernel for a file: D, or S inside a call on a file (FUSE, NFS)
  ring,         // sleeps for completions of io_uring or aio, which may or may not be under way
  excluded      // stopped, traced, frozen, parent of a vfork: says nothing about file systems
};

struct ThreadSample {
  std::int32_t tid = 0;  // 0: nothing is known of it this time
  std::int32_t tgid = 0;
  std::uint64_t start = 0;      // tells a reused tid from the one before; unit of the source
  std::uint64_t completed = 0;  // calls of read and write kind, major faults; only growth counts
  std::uint64_t switches = 0;   // context switches
  Nanos user_ns = 0;            // spent in user mode; only growth counts
  std::uint64_t place = 0;      // hash of stack and call: changes when it waits somewhere else
  Nanos ran_ns = 0;             // CLOCK_MONOTONIC: last given a processor; 0: not known
  ThreadWait wait = ThreadWait::none;
  bool file_work = false;   // seen inside a call on a file, or in a major fault
  bool other_work = false;  // seen inside a call on a pipe, socket or terminal
  std::array<char, 16> comm{};
};

// Tasks that no view can hold are counted, not lost in silence.
inline constexpr std::size_t kMaxSampledThreads = 65536;

}  // namespace stallproof
