// SPDX-License-Identifier: Apache-2.0
// The worker process: one mm that holds the threads of all loads on the board together, because
// the reported stall needs them on the same mmap_lock. After a stall nothing in it is trusted.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child worker WORDS`, in a process of its own, main thread:
//   board=FD ready=FD file=PATH and any parameter of the catalogue's workloads (KEY=VALUE)
// Loads on the board that the catalogue does not know are somebody else's. Every thread has its tid
// in its slot before the ready report, runs in Phase::run and sets slot.left when it returns.
// Returns the exit code only when it refuses its words (2) or cannot start (3). Otherwise it ends
// by _exit(): 0 after Phase::stop or SIGTERM, 3 when a thread failed or has not left 2 s later.
int run_worker_role(const std::vector<std::string>& words);

}  // namespace stallproof
