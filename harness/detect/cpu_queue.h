// SPDX-License-Identifier: Apache-2.0
// Threads that want a CPU and mostly wait for one. Where CPUs are wanted many times over, or a
// virtual one is taken away for a while, an op takes long because each thread that it passes
// through queues: it is slow, and nothing is stuck. Told from one full task scan to the next.
// Fixed memory, no allocation: watchdog's loop.
//
// Waiting counts as the scheduler counts it: sched_info.run_delay, which it adds to when the task
// gets a CPU (sched_info_arrive, kernel/sched/stats.h, 3.10 to 6.18); for a task that is ready and
// has not slept since the scan before, all the time in which it did not run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "harness/detect/system_view.h"
#include "harness/probe/scan_record.h"

namespace stallproof {

class CpuQueue {
 public:
  void begin_scan(Nanos taken_ns);
  // A task of any load, of any FUSE server or the owner of a lock that is waited for: which of them
  // an op waits for is not known here. Others, and those that a quota holds, are passed over.
  void saw(const ScanTask& task);
  [[nodiscard]] QueuedView finish_scan() const { return view_; }

  static constexpr Nanos kShortest = 50 * kMillisecond;  // between two scans that are compared
  static constexpr Nanos kLongest = 2 * kSecond;

 private:
  struct Entry {
    std::int32_t tid = 0;
    Nanos taken_ns = 0;
    std::uint64_t voluntary = 0, ran_ns = 0, delay_ns = 0;
  };
  [[nodiscard]] bool mostly_waited(const Entry& before, const ScanTask& task) const;

  // By tid; of two in one place the newer is kept, which costs a comparison and nothing else.
  std::array<Entry, 8192> entries_{};
  QueuedView view_;
};

}  // namespace stallproof
