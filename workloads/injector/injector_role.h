// SPDX-License-Identifier: Apache-2.0
// The injector process: makes and undoes one situation of the kernel, as the controller wants it.
#pragma once

#include <string>
#include <vector>

namespace stallproof {

// `stallproof child injector WORDS`, in a process of its own, main thread:
//   board=FD ready=FD injector=NAME directory=DIR and parameters of that injector (KEY=VALUE);
//   cgroup-cpu=PATH, cgroup-blkio=PATH, cgroup-freezer=PATH, cgroup-unified=PATH: where the run may
//   make a cgroup.
// Prepares before the ready report, then follows the board's injector panel until SIGTERM, heals,
// removes and returns 0; 3 when something could not be undone, 2 when it refuses its words.
int run_injector_role(const std::vector<std::string>& words);

}  // namespace stallproof
