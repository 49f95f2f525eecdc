// SPDX-License-Identifier: Apache-2.0
// The plan for somebody's own mount: direct I/O, mapped faults and a JVM's changes of its memory
// map, in one process. As commented TOML, at most 40 lines. Pure.
#pragma once

#include <optional>
#include <string>

#include "harness/run/plan/plan.h"
#include "harness/run/plan/target_look.h"

namespace stallproof {

struct TargetPlanWish {
  std::string name;
  Nanos duration = 60 * kSecond;
  std::optional<std::uint64_t> size;  // none: 1 GiB, or what is fitting where space is short
};

// Below its head: [thresholds] and [[process]], whose files take `size` bytes together.
std::string target_plan_body(std::uint64_t size);
// What the files may take there: what was asked for, else what is fitting.
Result<std::uint64_t> target_plan_size(const TargetLook& target, const TargetPlanWish& wish);

// An Error when the size asked for, or the least that makes sense, is too much for the target.
Result<std::string> target_plan_text(const TargetLook& target, const TargetPlanWish& wish);
Result<LoadPlan> plan_for_target(const TargetLook& target, const TargetPlanWish& wish);

}  // namespace stallproof
