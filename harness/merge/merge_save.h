// SPDX-License-Identifier: Apache-2.0
// A merge on disk: a directory that holds the answer and, of each kind of stall, what its nodes had
// kept of it. Blocking. The results themselves are only read.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/merge/evidence.h"
#include "harness/merge/merge.h"
#include "harness/store/run_dir.h"

namespace stallproof {

struct SavedMerge {
  std::string verdict;   // verdict.json as it was written
  std::string junit;     // junit.xml
  std::string markdown;  // summary.md
};

// Reads evidence and series of all nodes, then writes verdict.json, junit.xml, summary.md,
// report.html, plan.toml and incidents/. `list`: --expect-nodes as it was given. What could not be
// written is run.first_problem(); what could not be read is a note of `merged`.
SavedMerge save_merge(Merged& merged, const std::string& list, RunDir& run);

}  // namespace stallproof
