// SPDX-License-Identifier: Apache-2.0
// Operations that follow each other with nothing in between: each begins when the one before it
// ended, so that an operation costs one look at the clock instead of the two of an OpScope. For
// calls of a microsecond, where the second look is a few per cent of the load.
//
// One thread at a time: the slot's owner, or the thread it waits for.
#pragma once

#include "harness/board/board.h"

namespace stallproof {

class OpSeries {
 public:
  explicit OpSeries(BoardSlot& slot) : slot_(slot), now_(monotonic_now()) {}
  OpSeries(const OpSeries&) = delete;
  OpSeries& operator=(const OpSeries&) = delete;

  // After a wait: the next operation begins now.
  void resume() { now_ = monotonic_now(); }

  void begin(Op op, std::uint64_t offset) {
    slot_.op_code.store(static_cast<std::uint32_t>(op), std::memory_order_relaxed);
    slot_.op_offset.store(offset, std::memory_order_relaxed);
    slot_.op_started_ns.store(now_, std::memory_order_release);
  }
  // Every begun operation is ended, a failed one too: it moved, it did not stall.
  void end(bool succeeded) {
    const Nanos started = now_;
    now_ = monotonic_now();
    slot_.latency.record(now_ - started);
    if (!succeeded) add_one(slot_.errors, std::memory_order_relaxed);
    slot_.last_done_ns.store(now_, std::memory_order_relaxed);
    add_one(slot_.ops, std::memory_order_release);
    slot_.op_started_ns.store(0, std::memory_order_release);
  }
  [[nodiscard]] Nanos now() const { return now_; }  // when the last operation ended
  [[nodiscard]] BoardSlot& slot() const { return slot_; }

 private:
  static void add_one(std::atomic<std::uint64_t>& counter, std::memory_order order) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, order);
  }
  BoardSlot& slot_;
  Nanos now_;
};

}  // namespace stallproof
