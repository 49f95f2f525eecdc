// SPDX-License-Identifier: Apache-2.0
// One look at what stands still on this machine now, by who was not there when it began: two scans
// of the kernel's tasks, so that what only passes by can be told from what stands; through /proc
// where BPF is refused. Nothing of a stuck process is waited for. Controller only.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct LiveLook {
  LockSnapshot snapshot;
  std::string lens;       // "bpf" or "proc"
  std::string problem;    // why not BPF; empty otherwise
  bool complete = false;  // nothing was left out that this lens could have seen
};

// `processes`: for /proc, all threads of these beside the blocked tasks of all others; empty: only
// blocked tasks. Takes 0.3 s and some milliseconds by BPF, at most `limit` through /proc. Needs
// root.
Result<LiveLook> look_at_this_machine(const std::vector<pid_t>& processes, Nanos limit);

}  // namespace stallproof
