// SPDX-License-Identifier: Apache-2.0
// Where a run may have a cgroup: one place in each hierarchy that is mounted, of version 1, of
// version 2, or some of both.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/settings.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {

struct CgroupPlace {
  std::vector<std::string> controllers;  // of version 1: "cpu", "blkio", "name=systemd"
  bool unified = false;                  // version 2
  std::string path;                      // of the run's cgroup, which need not be there
};

// Pure.
std::vector<CgroupPlace> cgroup_places(const std::vector<MountEntry>& mounts,
                                       const std::string& run);
// By mountinfo, read by a child with a deadline.
Result<std::vector<CgroupPlace>> cgroup_places_now(const std::string& run);
// As an injector is told: cgroup-cpu=PATH, cgroup-blkio=PATH, cgroup-freezer=PATH,
// cgroup-unified=PATH, each where there is such a hierarchy.
void add_cgroup_words(const std::vector<CgroupPlace>& places, Settings& words);

}  // namespace stallproof
