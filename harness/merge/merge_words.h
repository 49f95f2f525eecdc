// SPDX-License-Identifier: Apache-2.0
// Words of a merge that all its forms share. Pure. Names of strangers come back on one line and
// without control characters, but not escaped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/merge/merge.h"

namespace stallproof {

// The first line of every form.
std::string merge_sentence(const Merged& merged);
// "n3: what", or what concerns all.
std::string finding_words(const MergeFinding& finding);
// "4 nodes stalled within 300 ms, same signature mmap_lock_cycle:…".
std::string together_words(const Merged& merged, const std::vector<StallBegin>& group);
// "n1, n2, n3 and 5 more".
std::string names_words(const std::vector<std::string>& names);
// "n1: mmap_lock_cycle at +2:03 min for 31.4 s (incident 001 of DIR)".
std::string stall_words(const Merged& merged, const StallBegin& stall);

// Names of the nodes of a group, each once, and its signatures, the most frequent first.
std::vector<std::string> node_names(const Merged& merged, const std::vector<StallBegin>& group);
std::vector<std::string> signatures_of(const Merged& merged, const std::vector<StallBegin>& group);
bool any_failing(const Merged& merged, const std::vector<StallBegin>& group);

// Milliseconds since the fleet's begin, never before it; of a node without a place in time since
// its own.
double onset_ms_of(const Merged& merged, const StallBegin& stall);
// Operations and bytes of all loads of a node.
struct NodeWork {
  std::uint64_t ops = 0, bytes = 0;
  std::optional<double> p99_us, max_us;  // of its slowest load
};
NodeWork work_of(const Verdict& verdict);

}  // namespace stallproof
