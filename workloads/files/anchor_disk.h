// SPDX-License-Identifier: Apache-2.0
// An anchor on disk: whether it is there, what of its tree is there. Blocking, on the file system
// under test, before a run.
#pragma once

#include <string>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "workloads/files/anchor_tree.h"

namespace stallproof {

// The anchor is a folder. A missing one is made only with `create`: a tree in the wrong place
// would fill the wrong file system.
Result<> check_anchor(const JobAnchor& anchor, bool create);

// Marks the files and folders that are there. An Error when the deadline passes: between two
// folders, for no call can be given up.
Result<> scan_tree(AnchorTree& tree, Deadline deadline);

// Marks all as there, unseen.
void assume_complete(AnchorTree& tree);

// Names that a format may remove: those that it gives, in trees of any shape.
bool is_folder_name(const char* name);
bool is_file_name(const char* name);

}  // namespace stallproof
