// SPDX-License-Identifier: Apache-2.0
// Tasks that hung before we came. The kernel does not say since when a task sleeps, so one that is
// in D is looked at until it has run or the time is over. Reads task/TID/status only, which no
// stuck task can hold up (task_status.h). Controller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

struct BlockedTask {
  pid_t tid = 0, tgid = 0;
  std::string name;
  std::uint64_t switches = 0;
};

// In D now; sorted by tid.
std::vector<BlockedTask> tasks_in_d(const std::string& proc_root);
// Of `before` those that have not run since.
std::vector<BlockedTask> not_run_since(const std::vector<BlockedTask>& before,
                                       const std::vector<BlockedTask>& now);

// Those that are in D for all of `span`. Blocks for `span` while there is one, else not at all.
// `wait` sleeps for as long as it is told; false: it was interrupted, and nothing is known.
using Wait = std::function<bool(Nanos span)>;
std::vector<BlockedTask> tasks_blocked_for(Nanos span, const std::string& proc_root,
                                           const Wait& wait);

}  // namespace stallproof
