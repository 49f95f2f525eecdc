// SPDX-License-Identifier: Apache-2.0
// Narrows a snapshot of the whole machine to what concerns some processes: their tasks, the locks
// they hold or wait for, their FUSE connections. Somebody else's stall on the same machine must not
// end up in our explanation. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// These processes and those that their tasks wait for: servers of FUSE connections that hold their
// requests, holders of locks they wait for, and so on until nothing is added.
std::vector<pid_t> with_those_waited_for(const LockSnapshot& snapshot,
                                         std::vector<pid_t> processes);

void keep_only_processes(LockSnapshot& snapshot, const std::vector<pid_t>& processes);

}  // namespace stallproof
