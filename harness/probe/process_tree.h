// SPDX-License-Identifier: Apache-2.0
// Which processes belong to a target: the descendants of a process, the users of a mount, the
// members of a cgroup. Reads only files that take no lock of the target (task/TID/children,
// fdinfo/N, status, cgroup.procs; 3.10 to 6.18). Controller only; each call is bounded by `limit`
// and says in `problem` when it had to stop early.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

struct ProcessList {
  std::vector<pid_t> tgids;
  std::string problem;  // why some may be missing; empty when none is
};

// `root` and all that descend from it, through task/TID/children where the kernel has it
// (CONFIG_PROC_CHILDREN), else through the parents named in every status file; but none of
// `without`, and none that descends from these alone.
ProcessList descendants_of(pid_t root, Nanos limit, const std::string& proc_root = "/proc",
                           const std::vector<pid_t>& without = {});

// Processes with a file of the mount open, by the mnt_id of their descriptors (fdinfo, 3.15). One
// that only maps a file of it is not seen.
ProcessList users_of_mount(std::uint32_t mount_id, Nanos limit,
                           const std::string& proc_root = "/proc");

// cgroup.procs of a cgroup directory, v1 or v2. An Error when the directory is not a cgroup.
Result<ProcessList> members_of_cgroup(const std::string& directory);

// The thread group of a process or thread, 0 when there is none.
pid_t thread_group_of(pid_t tid, const std::string& proc_root = "/proc");
// "java", as status shows it; empty when gone.
std::string name_of_process(pid_t pid, const std::string& proc_root = "/proc");

}  // namespace stallproof
