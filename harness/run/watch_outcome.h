// SPDX-License-Identifier: Apache-2.0
// From what `watch` saw to its verdict and exit code (DESIGN section 4). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/store/verdict.h"

namespace stallproof {

struct WatchFacts {
  bool interrupted = false;
  std::vector<std::string> lost;      // a process of ours ended early
  std::vector<std::string> impaired;  // sight lost in a way that hides stalls
  std::string unsaved;                // evidence that could not be written
  std::vector<std::string> failing;   // "mmap_lock_cycle (incident 001)"
  std::size_t stalls = 0;             // failing or not
  std::vector<std::string> unproven;  // a stall made on purpose that was not seen, and why
  bool proven = false;                // all that were made were seen
  bool worked = false;                // file-system work of the target was seen
  std::optional<int> command_exit;    // as a shell gives it; absent without a COMMAND that ended
};

struct WatchOutcome {
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  std::vector<std::string> reasons;
};

// 1 for a failing stall whatever else happened; 3 when the verdict is unknown; else the command's
// own code. A command that failed gives its own code and the verdict `unknown`: there was no stall,
// but its load did not run as it should either.
WatchOutcome judge_watch(const WatchFacts& facts);

}  // namespace stallproof
