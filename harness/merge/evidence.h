// SPDX-License-Identifier: Apache-2.0
// Which stalls of a fleet are told in full, and what their nodes had kept of them: one of each
// signature at least, so that the merge explains every kind of stall when the results are gone.
// Blocking reads of files in the nodes' run directories.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "harness/merge/merge.h"
#include "harness/store/run_read.h"

namespace stallproof {

// Places in merged.stalls, in their order: of each signature the first ones, most signatures first.
std::vector<std::size_t> stalls_to_tell(const Merged& merged);

struct StallEvidence {
  std::size_t place = 0;  // in merged.stalls
  StoredIncident incident;
  std::map<std::string, std::string> files;  // as they lie there, by name; whole ones only
};

// What cannot be read is a note of `merged` and left out.
std::vector<StallEvidence> read_evidence(Merged& merged);
// Where the node keeps it.
std::string evidence_folder(const MergedNode& node, const StallEntry& entry);

}  // namespace stallproof
