// SPDX-License-Identifier: Apache-2.0
// Operations that follow each other with nothing in between: each begins when the one before it
// ended, so that an operation costs one look at a cheap clock instead of the two of an OpScope. For
// calls of a microsecond, of which an OpScope is 3 per cent and this is 1.
//
// One thread at a time: the slot's owner, or the thread it waits for.
#pragma once

#include <cerrno>

#include "harness/base/tsc_clock.h"
#include "harness/board/board.h"

namespace stallproof {

class OpSeries {
 public:
  explicit OpSeries(BoardSlot& slot) : slot_(slot), now_(clock_.now()) {}
  OpSeries(const OpSeries&) = delete;
  OpSeries& operator=(const OpSeries&) = delete;

  // After a wait: the next operation begins now.
  void resume() { now_ = clock_.now(); }

  void begin(Op op, std::uint64_t offset) {
    slot_.op_code.store(static_cast<std::uint32_t>(op), std::memory_order_relaxed);
    slot_.op_offset.store(offset, std::memory_order_relaxed);
    slot_.op_started_ns.store(now_, std::memory_order_release);
  }
  // Every begun operation is ended, a failed one too: it moved, it did not stall. `error`: why; 0:
  // what errno says.
  void end(bool succeeded, int error = 0) {
    const Nanos started = now_;
    now_ = clock_.now();
    const OpKind kind = kind_of(slot_.op_code.load(std::memory_order_relaxed));
    slot_.note_durations(kind, now_ - started, 0);
    if (!succeeded) slot_.note_failure(kind_of_error(error != 0 ? error : errno));
    slot_.note_end(kind, now_);
  }
  [[nodiscard]] Nanos now() const { return now_; }  // when the last operation ended
  [[nodiscard]] BoardSlot& slot() const { return slot_; }

 private:
  BoardSlot& slot_;
  TscClock clock_;
  Nanos now_;
};

}  // namespace stallproof
