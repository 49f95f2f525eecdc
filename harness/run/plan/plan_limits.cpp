// SPDX-License-Identifier: Apache-2.0
// Which thresholds hold for which load of a plan.
#include <algorithm>

#include "harness/run/plan/plan.h"

namespace stallproof {
namespace {

// `take(index, limits)` for every load; null where it has none of its own.
template <class Take>
void for_each_load(const LoadPlan& plan, const Take& take) {
  std::uint32_t index = 0;
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads)
      take(index++, load.limits ? &load.limits->thresholds : nullptr);
}

ThresholdsEntry entry_of(const PlanLimits& limits) {
  return {.stall_after_ms = static_cast<double>(limits.thresholds.stall_after) / 1e6,
          .fail_after_ms = static_cast<double>(limits.thresholds.fail_after) / 1e6,
          .dropout_below = limits.thresholds.dropout_below,
          .max_dropouts = limits.max_dropouts,
          .max_dropout_seconds = limits.max_dropout_seconds,
          .min_ops = limits.min_ops};
}

}  // namespace

std::map<std::string, PlanLimits> own_limits(const LoadPlan& plan) {
  std::map<std::string, PlanLimits> found;
  for (const PlanProcess& process : plan.processes)
    for (const PlanLoad& load : process.loads)
      if (load.limits) found.emplace(load.name, *load.limits);
  return found;
}

RunThresholds run_thresholds(const LoadPlan& plan) {
  RunThresholds thresholds{.usual = entry_of(plan.limits), .loads = {}};
  for (const auto& [name, own] : own_limits(plan)) thresholds.loads[name] = entry_of(own);
  return thresholds;
}

RunThresholds run_thresholds(const Thresholds& thresholds) {
  PlanLimits limits;
  limits.thresholds = thresholds;
  return {.usual = entry_of(limits), .loads = {}};
}

std::vector<OwnThresholds> own_thresholds(const LoadPlan& plan) {
  std::vector<OwnThresholds> found;
  for_each_load(plan, [&found](std::uint32_t load, const Thresholds* own) {
    if (own != nullptr) found.push_back({load, *own});
  });
  return found;
}

Nanos fail_after_of(const LoadPlan& plan, std::uint32_t loads) {
  std::optional<Nanos> least;
  const Nanos usual = plan.limits.thresholds.fail_after;
  for_each_load(plan, [&](std::uint32_t load, const Thresholds* own) {
    if (load >= kMaxLoads || (loads >> load & 1U) == 0) return;
    const Nanos fail_after = own != nullptr ? own->fail_after : usual;
    least = std::min(least.value_or(fail_after), fail_after);
  });
  return least.value_or(usual);
}

bool wants_canary(const LoadPlan& plan) {
  const PlanCanary& canary = plan.canary;
  return canary.enabled.value_or(plan.duration >= kCanaryFrom) &&
         (canary.before || canary.beside || canary.after);
}

Nanos longest_fail_after(const LoadPlan& plan) {
  Nanos longest = plan.limits.thresholds.fail_after;
  for (const OwnThresholds& own : own_thresholds(plan))
    longest = std::max(longest, own.thresholds.fail_after);
  return longest;
}

}  // namespace stallproof
