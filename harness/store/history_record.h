// SPDX-License-Identifier: Apache-2.0
// What a run and an explanation have to do with the history: a run adds itself at its end, and both
// hear whether the stall is an old one. Done by a child with a deadline, because the state
// directory may lie on the disk that does not answer. Forks: controller only.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct HistoryTold {
  std::vector<std::string> seen;  // a line for each stall that was seen before
  std::string problem;            // why nothing was added or could be looked up; one line
};

// Blocks at most 3 s; of these 1 s on another process's lock.
HistoryTold record_in_history(const std::string& run_directory);

// Nothing is added, and nothing is made where there is no history. Blocks at most 1 s.
HistoryTold look_up_in_history(const std::vector<std::string>& signatures);

}  // namespace stallproof
