// SPDX-License-Identifier: Apache-2.0
// The load that does again what a profile recorded: the same calls with the same lengths,
// protections and flags, in the order of each thread, by as many threads, born by those that bore
// them, at the recorded times. Parameters:
//   profile-file  what `stallproof record` wrote; read by prepare()
//   speed         1: as recorded; 2: twice as fast
//   repeat        times the profile is run through; 0: until the load is stopped
// A load's threads are the slots in which calls are shown, not the callers (see SlotPool).
#pragma once

#include <memory>

#include "workloads/workload.h"

namespace stallproof {

std::unique_ptr<Workload> make_replay();

}  // namespace stallproof
