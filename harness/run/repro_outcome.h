// SPDX-License-Identifier: Apache-2.0
// From what a reproduction saw to its verdict and exit code (DESIGN section 4). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/store/verdict.h"

namespace stallproof {

enum class Expectation { none, stall, quiet };

struct ReproFacts {
  Expectation expectation = Expectation::none;
  bool interrupted = false;
  std::vector<std::string> lost;      // "worker: killed by signal 9": a process of ours ended early
  std::vector<std::string> impaired;  // sight lost in a way that hides stalls
  std::vector<std::string> worthless;  // why quiet proves nothing: no work, wrong data, failed ops
  std::string unsaved;                 // evidence that could not be written; empty when all is kept
  bool stalled = false;
  std::string stall_class, signature;  // as explained
  std::string expected_class;
  std::vector<std::string> expected_signatures;  // any of them; empty: the class is enough
  bool has_hazard = true;
  std::uint64_t hazards = 0;
  std::vector<std::string> left_behind;
};

struct ReproOutcome {
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  std::vector<std::string> reasons;
};

// Whether what stalled is what was expected.
bool as_promised(const ReproFacts& facts);
ReproOutcome judge_repro(const ReproFacts& facts);

}  // namespace stallproof
