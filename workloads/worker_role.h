// SPDX-License-Identifier: Apache-2.0
// The worker process: one mm that holds the threads of all loads on the board together, because
// the reported stall needs them on the same mmap_lock. After a stall nothing in it is trusted.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child worker WORDS`, in a process of its own, main thread:
//   board=FD ready=FD, and either
//   order=FD: a work order (work_order.h) in shared memory, for its own loads of the board, or
//   file=PATH and any parameter of the catalogue's workloads (KEY=VALUE): every load of the board
//   that the catalogue knows; others are somebody else's.
//   own-files=yes: beside file=PATH: each load has a file of its own, PATH-LOAD;
//   leave-within=TIME: for threads to leave after Phase::stop or SIGTERM; 2 s.
// Every thread has its tid in its slot before the ready report, runs in Phase::run when its load is
// on, and sets slot.left when it has returned for good.
// Returns the exit code only when it refuses its words (2) or cannot start (3). Otherwise it ends
// by _exit(): 0 when all threads have left, 3 when one failed or did not leave in time.
int run_worker_role(const std::vector<std::string>& words);

}  // namespace stallproof
