// SPDX-License-Identifier: Apache-2.0
// A cgroup of our own, named by the path of its directory, in a hierarchy of version 1 or 2. Any
// process of root. Each call writes or reads a few control files: it may wait for the kernel's
// cgroup locks, never for what the cgroup's processes wait for; the controller makes it bounded.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

// Its name in every hierarchy, so that the next start finds what a dead run has left.
std::string cgroup_name(const std::string& run);

Result<> make_cgroup(const std::string& path);
// All threads of the process, and what they start.
Result<> move_to_cgroup(const std::string& path, pid_t pid);
Result<std::vector<pid_t>> cgroup_processes(const std::string& path);

// Whatever holds its processes up ends: frozen ones are thawed, quotas and throttles are lifted;
// I/O that waits for a throttle goes on. What the hierarchy does not know is passed over, and a
// cgroup that is not there is no error.
Result<> lift_cgroup_limits(const std::string& path);
// Its processes go to its parent. A cgroup that is not there is no error.
Result<> remove_cgroup(const std::string& path, Deadline deadline);

}  // namespace stallproof
