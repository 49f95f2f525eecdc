// SPDX-License-Identifier: Apache-2.0
// The watchdog must not be frozen or throttled with what it watches. Controller; blocks on cgroup
// files only, which no file system under test can hold up.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace stallproof {

// A line of /proc/PID/cgroup: "7:freezer:/lab", "0::/user.slice".
struct CgroupLine {
  std::string controllers;  // empty: the hierarchy of v2
  std::string path;
};
std::vector<CgroupLine> parse_cgroups(std::string_view text);

// Hierarchies in which `ours` is in the target's cgroup or below it. The root of a hierarchy can be
// neither frozen nor throttled: there nobody is in anybody's way.
std::vector<CgroupLine> shared_cgroups(const std::vector<CgroupLine>& ours,
                                       const std::vector<CgroupLine>& target);

// Moves our process to the root of every hierarchy in which it shares a cgroup with the target.
// Returns why it could not, empty when they share none (any more).
std::string leave_cgroups_of(pid_t ours, pid_t target);

}  // namespace stallproof
