// SPDX-License-Identifier: Apache-2.0
// A merge as a verdict, in the form that a run's has: what reads verdicts (gate, history) reads it
// too, with the hours and stalls of all its nodes. Pure.
#pragma once

#include <set>
#include <string>

#include "harness/merge/merge.h"

namespace stallproof {

struct MergedAs {
  std::string run;             // its id
  std::string nodes;           // the list as it was given
  std::string tool_version;    // of the merge itself
  std::set<std::size_t> kept;  // places in merged.stalls whose evidence is below the directory
};

// The id that the stall at this place of merged.stalls has in the merge.
std::string merged_id(std::size_t place);

Verdict merged_verdict(const Merged& merged, const MergedAs& as);

}  // namespace stallproof
