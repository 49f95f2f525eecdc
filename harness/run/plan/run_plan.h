// SPDX-License-Identifier: Apache-2.0
// A plan from its start to its verdict. Controller, main thread. Blocks until it is over; every
// wait has a deadline, so it ends even when nothing that it started can be ended.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/capture/stall_policy.h"
#include "harness/run/canary_plan.h"
#include "harness/run/plan/plan.h"
#include "harness/run/plan/target_look.h"
#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

struct LoadPlanOptions {
  LoadPlan plan;
  std::string out;
  bool until_stall = false;  // ends with the first stall
  bool endless = false;      // the plan's duration is no limit
  CanaryWish canary = CanaryWish::as_planned;
  StallPolicy policy;
  std::map<std::string, std::string> labels;
  std::vector<std::string> fs_files;
  const RunFeed* feed = nullptr;  // who listens
};

// The exit code of the command. Errors are those that no verdict could be given for.
Result<int> run_plan(const LoadPlanOptions& options, Console& console);

}  // namespace stallproof
