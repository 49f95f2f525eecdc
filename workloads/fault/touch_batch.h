// SPDX-License-Identifier: Apache-2.0
// The books of a row of touches that are timed together. An OpScope for each costs 60 ns, and 200
// where the fault has emptied the caches; a fault on a page that is in memory takes 250 ns and
// more. Each touch still counts at once; only the clock is read once for the row, and the latency
// of each is their mean. So touches are timed together only while they take less than kFast, and
// one by one as soon as they do not.
#pragma once

#include <algorithm>

#include "workloads/workload.h"

namespace stallproof {

class TouchBatch {
 public:
  explicit TouchBatch(BoardSlot& slot) : slot_(slot) {}

  // How many touches to time together next.
  [[nodiscard]] unsigned size() const { return size_; }

  void begin(std::uint64_t offset) {
    ops_ = slot_.ops.load(std::memory_order_relaxed);
    touches_ = slot_.tally.of(OpKind::fault).ops.load(std::memory_order_relaxed);
    slot_.op_code.store(static_cast<std::uint32_t>(Op::page_fault), std::memory_order_relaxed);
    slot_.op_offset.store(offset, std::memory_order_relaxed);
    started_ = monotonic_now();
    slot_.op_started_ns.store(started_, std::memory_order_release);
  }
  // One touch has ended (also one that failed); the next is about `offset`.
  void next(std::uint64_t offset) {
    slot_.tally.of(OpKind::fault).ops.store(++touches_, std::memory_order_relaxed);
    slot_.ops.store(++ops_, std::memory_order_release);
    slot_.op_offset.store(offset, std::memory_order_relaxed);
  }
  // `good` and `failed` touches have ended since begin().
  void end(std::uint64_t good, std::uint64_t failed, std::uint64_t page_size) {
    const Nanos now = monotonic_now();
    const std::uint64_t all = good + failed;
    if (all != 0) {
      const Nanos each = (now - started_) / all;
      slot_.note_durations(OpKind::fault, each, good * page_size, all);
      if (failed != 0) slot_.note_failure(ErrorKind::sigbus, failed);
      slot_.last_done_ns.store(now, std::memory_order_relaxed);
      size_ = each < kFast ? std::min(2 * size_, kMost) : 1;
    }
    slot_.op_started_ns.store(0, std::memory_order_release);
  }

  static constexpr unsigned kMost = 32;
  static constexpr Nanos kFast = 20'000;

 private:
  BoardSlot& slot_;
  std::uint64_t ops_ = 0;
  std::uint64_t touches_ = 0;  // those among them
  Nanos started_ = 0;
  unsigned size_ = 1;
};

}  // namespace stallproof
