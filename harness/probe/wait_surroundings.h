// SPDX-License-Identifier: Apache-2.0
// What surrounds the waits of a snapshot and is not in the tasks themselves: the devices they wait
// for, where a frozen file system is mounted, and limits of the tasks' cgroups. Read from /sys,
// from /proc/PID/cgroup (which takes no lock of the task, kernel/cgroup proc_cgroup_show) and from
// cgroupfs. Controller only; a file that cannot be read leaves its fact empty.
#pragma once

#include <string>

#include "harness/probe/block_devices.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct SurroundingPaths {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string cgroup = "/sys/fs/cgroup";  // v2 here or in unified/, v1 in blkio/ and cpu/
};

void add_surroundings(LockSnapshot& snapshot, const DeviceLook& before, const DeviceLook& now,
                      const SurroundingPaths& paths = {});

// For tests. The first limit on I/O, on device MAJOR:MINOR or (empty) on any, that a task of this
// /proc/PID/cgroup text is under; empty when there is none.
std::string io_limit_of(const std::string& proc_cgroup, const std::string& device,
                        const std::string& cgroup_root);
// A CPU quota that has been enforced; `enforced`: that it is, is known from elsewhere.
std::string cpu_limit_of(const std::string& proc_cgroup, const std::string& cgroup_root,
                         bool enforced);

}  // namespace stallproof
