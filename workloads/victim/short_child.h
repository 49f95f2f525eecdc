// SPDX-License-Identifier: Apache-2.0
// Children made by vfork(2), which borrow the parent's memory and stop the calling thread until
// they are done with it. Each dies with the thread that made it (PR_SET_PDEATHSIG, which outlives
// execve). Any thread of a worker process.
#pragma once

#include <sys/types.h>

#include <optional>

#include "harness/base/clock.h"

namespace stallproof {

struct ShortChild {
  const char* name;             // of the task, until it executes something
  char* const* argv = nullptr;  // what /proc/self/exe is run with; null: it only sleeps
  Nanos sleep = 0;              // before that
};

// Returns when the child has executed or ended: its pid, or -1 with errno.
pid_t start_short_child(const ShortChild& child);
// Waits for its end, however long that takes. Its exit code; nullopt: killed, or no child.
std::optional<int> wait_for_end(pid_t pid);

}  // namespace stallproof
