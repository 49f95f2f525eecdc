// SPDX-License-Identifier: Apache-2.0
// One thread's calls: each inside an operation on the board, failures counted, told and survived
// with a pause, and the waits between them.
#pragma once

#include "harness/board/op_series.h"
#include "workloads/storm/call_failures.h"
#include "workloads/storm/memory_call.h"
#include "workloads/storm/pace.h"
#include "workloads/workload.h"

namespace stallproof {

class StormCaller {
 public:
  StormCaller(WorkerContext& ctx, CallFailures& failures)
      : ctx_(ctx), failures_(failures), ops_(ctx.slot) {}

  void make(const MemoryCall& call) {
    ops_.begin(call.op, call.address());
    const int error = perform(call);
    ops_.end(error == 0, error);
    if (error != 0) [[unlikely]]
      survive(call.op, error);
  }
  // After a failed operation was ended.
  void survive(Op op, int error);
  // Blocks until the pace's next call is due; false when the load is to stop.
  bool wait(Pace& pace, Prng& prng) {
    if (!pace.unlimited()) wait_until(pace.next(ops_.now(), prng));
    return !ctx_.stopping();
  }
  void wait_until(Nanos due);

  [[nodiscard]] OpSeries& ops() { return ops_; }

 private:
  WorkerContext& ctx_;
  CallFailures& failures_;
  OpSeries ops_;
};

// Due times are kept to microseconds, not to the 50 by which timers may be joined. For the calling
// thread.
void keep_exact_time();

}  // namespace stallproof
