// SPDX-License-Identifier: Apache-2.0
// The process that makes the I/O of one job: one mm with all its threads. After a stall nothing in
// it is trusted to run.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child io board=FD panel=FD job=FD [maps=FD] ready=FD`, in a process of its own, main
// thread; `maps` are the KeyMaps of data validation.
// Every thread has its tid in its slots before the ready report, runs in Phase::run and sets
// slot.left when it returns. Returns only to refuse (2, 3); else it ends by _exit(): 0 when all
// I/O is done or after Phase::stop or SIGTERM, 3 when a thread has not left 2 s after SIGTERM.
int run_io_role(const std::vector<std::string>& words);

}  // namespace stallproof
