// SPDX-License-Identifier: Apache-2.0
// A plan in a file that holds more than a plan. Pure.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

#include "harness/run/plan/plan.h"

namespace stallproof {

// What is said elsewhere, and counts more than what the plan says.
struct PlanGiven {
  std::string target;  // empty: the plan's
  std::optional<Nanos> duration = std::nullopt;
  bool has_loads = true;  // false: without [[process]] it is no plan to be run
};

// `root`: nothing but the plan's own tables. Errors as those of parse_plan().
Result<LoadPlan> parse_plan_table(const toml::table& root, const std::string& source,
                                  const PlanGiven& given);

}  // namespace stallproof
