// SPDX-License-Identifier: Apache-2.0
#include "harness/base/real_time.h"

#include <sched.h>
#include <sys/resource.h>

namespace stallproof {

bool run_before_loads(RealTime level) {
  const sched_param wanted{.sched_priority = static_cast<int>(level)};
  if (::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0) return true;
  ::setpriority(PRIO_PROCESS, 0, -20);
  return false;
}

}  // namespace stallproof
