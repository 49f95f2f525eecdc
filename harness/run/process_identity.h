// SPDX-License-Identifier: Apache-2.0
// A process by pid and start time, so that a recycled pid is never taken for it. Controller only;
// every call is bounded in time. Field 22 of /proc/PID/stat is read by a child: the read takes
// exec_update_lock (do_task_stat, fs/proc/array.c, 6.1.192, 6.12.117 and 6.18.44) and may hang.
#pragma once

#include <sys/types.h>

#include "harness/base/clock.h"

namespace stallproof {

struct ProcessIdentity {
  pid_t pid = 0;
  unsigned long long start_ticks = 0;  // clock ticks since boot; 0: could not be read
};

// `unknown`: there is a process of this pid, and nobody can tell whether it is this one.
enum class Presence { gone, present, unknown };

ProcessIdentity identify_process(pid_t pid);
// A zombie is gone, unless threads of it still run.
Presence presence_of(const ProcessIdentity& process);
// SIGKILL to this process and to no other that took its pid (pidfd_send_signal; kill before 5.3).
// `gone` when it had ended or ended by the deadline, `present` when it did not die.
Presence kill_process(const ProcessIdentity& process, Deadline deadline);

}  // namespace stallproof
