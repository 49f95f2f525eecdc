// SPDX-License-Identifier: Apache-2.0
// `run PLAN.toml` and `run --target DIR`: words to plan, dry run or run.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cmd/outlet_words.h"
#include "harness/cmd/policy_words.h"
#include "harness/cmd/thresholds.h"

namespace stallproof {

// Empty where nothing was said.
struct PlanWords {
  std::string file, target, duration, size, out, canary;
  bool until_stall = false, dry_run = false, json = false, json_lines = false, quiet = false;
  std::vector<std::string> labels, fs_files;
  ThresholdWords thresholds;
  PolicyWords policy;
  OutletWords outlets;
  bool stall_after_given = false, dropout_below_given = false;
};

Result<int> run_plan_words(const PlanWords& words);

}  // namespace stallproof
