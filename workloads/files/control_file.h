// SPDX-License-Identifier: Apache-2.0
// vdb_control.file in an anchor: what tree was made there, and what of it was there at the end of
// the last run. vdbench's own form, so that vdbench accepts a tree that was made here, and the
// other way round. Not for shared anchors. Blocking: on the file system under test, outside of a
// run.
#pragma once

#include "harness/base/result.h"
#include "workloads/files/anchor_tree.h"

namespace stallproof {

// Written at the beginning of a run it says that the tree may be in any state.
enum class ControlTime { begin, end };

std::string control_text(const AnchorTree& tree, ControlTime time);
Result<> write_control_file(const AnchorTree& tree, ControlTime time);

// Whether there is a tree of another shape: an Error says so. No control file, or one that was cut
// short, is none.
Result<> check_control_file(const AnchorTree& tree);

}  // namespace stallproof
