// SPDX-License-Identifier: Apache-2.0
// What began on several nodes at once: a server, a network or a lock that they share, not one
// node's bad luck. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace stallproof {

struct StallBegin {
  std::size_t node = 0;   // which of the nodes
  std::size_t entry = 0;  // which of its stalls
  double onset_ms = 0;    // on a clock that all nodes share
};

// Groups of stalls whose onsets lie within `within_ms` of the group's first one, each of at least
// two nodes, by time; no stall is in two of them. Onsets that are no number are left out.
std::vector<std::vector<StallBegin>> stalls_together(std::vector<StallBegin> stalls,
                                                     double within_ms);

}  // namespace stallproof
