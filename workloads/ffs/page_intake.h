// SPDX-License-Identifier: Apache-2.0
// Decides, when a page read arrives, how it will be answered (the behaviour the controller armed on
// the board) and whether it is a second try, that is whether its thread holds mmap_lock until the
// answer. Receiver thread only: one thread, so no locks and one order of arrival.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "harness/board/board.h"
#include "workloads/ffs/error_schedule.h"
#include "workloads/ffs/second_try.h"
#include "workloads/ffs/service_job.h"
#include "workloads/ffs/tree_error_schedule.h"

namespace stallproof {

class PageIntake {
 public:
  // Keeps a reference; the board outlives it.
  PageIntake(Board& board, std::uint64_t file_size) : board_(board), errors_(file_size) {}

  // Fills in answer_error, invalidate_after and hazard. A client without a slot on the board may be
  // misled like any other, but its tries cannot be told apart and are never counted as hazards.
  void admit(ServiceJob& job);

 private:
  const BoardSlot* slot_of(std::uint32_t tid);
  bool error_due(std::uint64_t armed_ns, const ServiceJob& job);

  Board& board_;
  SecondTryDetector tries_;
  ErrorSchedule errors_;  // of `data`
  TreeErrorSchedule tree_errors_;
  std::unordered_map<std::uint32_t, const BoardSlot*> slot_by_tid_;
};

}  // namespace stallproof
