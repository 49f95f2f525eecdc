// SPDX-License-Identifier: Apache-2.0
// The watchdog: a process of its own (own mm, locked in memory) that looks at the board every tick,
// judges, and tells the controller. Its loop allocates nothing, forks nothing, opens no file under
// test and takes no lock of the target; what needs memory or a disk happens in the controller.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child watchdog board=FD evidence=FD channel=FD ready=FD tick=… stall-after=… …`
// Returns the process's exit code. Reports "ready" once everything is opened and touched.
int run_watchdog_role(const std::vector<std::string>& words);

}  // namespace stallproof
