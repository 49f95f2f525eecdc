// SPDX-License-Identifier: Apache-2.0
// Threads that must be run beside loads that keep every CPU busy. Any thread, for itself; what it
// starts afterwards inherits it. For work that soon sleeps again: the kernel keeps 5 % of a CPU for
// all others, no more (sched_rt_runtime_us; kernel/sched/rt.c, 3.10 to 6.11).
#pragma once

namespace stallproof {

// Higher is run first; both before all ordinary work.
enum class RealTime : int { answers = 1, watching = 2 };

// False where the kernel refuses (no CAP_SYS_NICE, a cgroup without real time): then with the
// highest share of ordinary work, if it may have that.
bool run_before_loads(RealTime level);

}  // namespace stallproof
