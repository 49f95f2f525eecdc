// SPDX-License-Identifier: Apache-2.0
// From what a run of a plan saw to its verdict. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/run/plan/plan.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct PlanFacts {
  bool interrupted = false;
  std::vector<std::string> lost, impaired, failures, never_ended, left_behind;
  std::vector<std::string> idle;             // loads that were to run and completed nothing
  std::map<std::string, std::uint64_t> ops;  // of each load
  std::vector<std::string> blind;  // a stall made on purpose was not seen, or not as it should be
  bool proven = false;             // it was, whenever it was made
  std::string unsaved;
  std::vector<StallEntry> stalls;
  std::vector<DropoutEntry> dropouts;  // behind the warm-up
  PlanLimits limits;
  std::map<std::string, PlanLimits> load_limits;  // of loads that have their own
  bool until_stall = false;                       // any stall is what was waited for
};

struct PlanOutcome {
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  std::vector<std::string> reasons;
};

// Fails for a failing stall, an operation that never completed, failed operations or wrong data,
// and more dropouts than the plan allows; unknown when sight, a process or the machine's former
// state was lost, and when some load did nothing.
PlanOutcome judge_plan(const PlanFacts& facts);

}  // namespace stallproof
