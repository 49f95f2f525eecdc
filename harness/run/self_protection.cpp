// SPDX-License-Identifier: Apache-2.0
#include "harness/run/self_protection.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "harness/base/file.h"

namespace stallproof {

void protect_this_process() {
  // Sanitizers reserve terabytes of shadow memory that must not be populated.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  ::mlockall(MCL_CURRENT | MCL_FUTURE);
#endif
  [[maybe_unused]] const auto scored = write_control_file("/proc/self/oom_score_adj", "-1000");
  sched_param lowest{};
  lowest.sched_priority = 1;
  if (::sched_setscheduler(0, SCHED_FIFO, &lowest) != 0) ::setpriority(PRIO_PROCESS, 0, -20);
}

}  // namespace stallproof
