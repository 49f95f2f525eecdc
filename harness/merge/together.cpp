// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/together.h"

#include <algorithm>
#include <cmath>

namespace stallproof {

std::vector<std::vector<StallBegin>> stalls_together(std::vector<StallBegin> stalls,
                                                     double within_ms) {
  std::erase_if(stalls, [](const StallBegin& stall) { return !std::isfinite(stall.onset_ms); });
  std::stable_sort(
      stalls.begin(), stalls.end(),
      [](const StallBegin& one, const StallBegin& other) { return one.onset_ms < other.onset_ms; });
  std::vector<std::vector<StallBegin>> groups;
  for (auto first = stalls.begin(); first != stalls.end();) {
    const double until = first->onset_ms + within_ms;
    auto end = first;
    bool others = false;
    for (; end != stalls.end() && end->onset_ms <= until; ++end)
      others = others || end->node != first->node;
    if (others) groups.emplace_back(first, end);
    // Alone with its node, a later stall of it may still begin a group.
    first = others ? end : first + 1;
  }
  return groups;
}

}  // namespace stallproof
