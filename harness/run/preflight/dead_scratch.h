// SPDX-License-Identifier: Apache-2.0
// Directories that runs have left in a target and no journal knows any more: the node crashed, and
// /run is gone with it. A target may be shared by nodes, so a directory is ours only when its run
// is one of our run directories and nobody holds it. Controller; the target is asked by children
// with a deadline.
#pragma once

#include <string>
#include <vector>

#include "harness/run/plan/target_look.h"

namespace stallproof {

struct DeadScratches {
  std::vector<std::string> removed;  // paths
  std::vector<std::string> left;     // a line each: what and why
};
// `runs`: the folder of run directories.
DeadScratches remove_dead_scratches(const TargetLook& target, const std::string& runs);

}  // namespace stallproof
