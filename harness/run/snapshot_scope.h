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

void keep_only_processes(LockSnapshot& snapshot, const std::vector<pid_t>& processes);

}  // namespace stallproof
