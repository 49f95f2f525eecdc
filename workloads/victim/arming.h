// SPDX-License-Identifier: Apache-2.0
// What the loads that stall by themselves (Arming::load_itself) ask: has the controller armed the
// run, and does what came of it still last. Any thread of a worker process.
#pragma once

#include "harness/board/board.h"
#include "workloads/workload.h"

namespace stallproof {

// 0: not armed, as in every plan.
inline Nanos armed_since(const Board& board) {
  return board.header().service.armed_ns.load(std::memory_order_acquire);
}

// Armed, not to be ended, and for less than `lasts` (0: for as long as the run).
inline bool misbehaves(const WorkerContext& ctx, Nanos lasts) {
  const Nanos armed = armed_since(ctx.board);
  if (armed == 0 || ctx.stopping()) return false;
  return lasts == 0 || monotonic_now() < armed + lasts;
}

}  // namespace stallproof
