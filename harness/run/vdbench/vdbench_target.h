// SPDX-License-Identifier: Apache-2.0
// The file system that an execution's luns or anchors lie on, where it is one; links are followed
// by children. Controller; blocks at most 1 s for each of them, beside what target_facts.h says.
#pragma once

#include <string>
#include <vector>

#include "harness/probe/mountinfo.h"
#include "harness/run/target_facts.h"

namespace stallproof {

struct VdbenchTarget {
  std::string path;            // of the only lun; of several the mount point; else empty
  std::string fstype, source;  // as mounted; empty for devices, and where there are several
  TargetFacts facts;
};

// What luns or anchors lie on.
struct PlaceMounts {
  std::vector<MountEntry> mounts;  // each once
  bool others = false;             // some lie on none: /dev/sdb, or what cannot be told
};
PlaceMounts mounts_of_places(const std::vector<std::string>& paths);

VdbenchTarget find_vdbench_target(const std::vector<std::string>& paths, const PlaceMounts& found);

}  // namespace stallproof
