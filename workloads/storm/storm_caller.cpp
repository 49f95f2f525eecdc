// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/storm_caller.h"

#include <sys/prctl.h>

namespace stallproof {

void StormCaller::survive(Op op, int error) {
  failures_.tell(op, error);
  ctx_.pause(kPauseAfterFailure);
  ops_.resume();
}

void StormCaller::wait_until(Nanos due) {
  ops_.resume();
  if (due <= ops_.now()) return;
  ctx_.pause(due - ops_.now());
  ops_.resume();
}

void keep_exact_time() { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

}  // namespace stallproof
