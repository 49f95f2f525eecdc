// SPDX-License-Identifier: Apache-2.0
// Threads that must be run beside loads that keep every CPU busy. Any thread, for itself; what it
// starts afterwards inherits it. For work that soon sleeps again: all others have what
// /proc/sys/kernel/sched_rt_runtime_us leaves them, usually 5 % of a CPU.
#pragma once

namespace stallproof {

// Higher is run first; both before all ordinary work.
enum class RealTime : int { answers = 1, watching = 2 };

// False where the kernel refuses (no CAP_SYS_NICE, a cgroup without real time): then with the
// highest share of ordinary work, if it may have that.
bool run_before_loads(RealTime level);

}  // namespace stallproof
