// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_verdict.h"

#include <fmt/format.h>

#include <map>

namespace stallproof {
namespace {

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void judge_stalls(const PlanFacts& facts, std::vector<std::string>& reasons) {
  for (const StallEntry& stall : facts.stalls)
    if (stall.failing || facts.until_stall)
      reasons.push_back(fmt::format("stalled: {} (incident {})", stall.stall_class, stall.id));
}

void judge_dropouts(const PlanFacts& facts, std::vector<std::string>& reasons) {
  const PlanLimits& limits = facts.limits;
  if (limits.max_dropouts && facts.dropouts.size() > *limits.max_dropouts)
    reasons.push_back(fmt::format("{} dropouts, at most {} are allowed", facts.dropouts.size(),
                                  *limits.max_dropouts));
  std::map<std::string, double> seconds;
  for (const DropoutEntry& dropout : facts.dropouts)
    seconds[dropout.workload] += dropout.duration_ms / 1e3;
  for (const auto& [load, sum] : seconds)
    if (limits.max_dropout_seconds && sum > *limits.max_dropout_seconds)
      reasons.push_back(fmt::format("{:.1f} s of dropouts of {}, at most {} are allowed", sum, load,
                                    *limits.max_dropout_seconds));
}

}  // namespace

PlanOutcome judge_plan(const PlanFacts& facts) {
  PlanOutcome judged;
  judge_stalls(facts, judged.reasons);
  append(judged.reasons, facts.never_ended);
  append(judged.reasons, facts.failures);
  judge_dropouts(facts, judged.reasons);
  const bool failed = !judged.reasons.empty();
  append(judged.reasons, facts.lost);
  if (facts.interrupted) judged.reasons.emplace_back("interrupted");
  if (!facts.unsaved.empty()) judged.reasons.push_back(facts.unsaved);
  for (const std::string& thing : facts.left_behind)
    judged.reasons.push_back("left behind: " + thing);
  if (failed) {
    judged.outcome = Outcome::fail;
    judged.exit_code = 1;
    return judged;
  }
  append(judged.reasons, facts.impaired);
  for (const std::string& load : facts.idle)
    judged.reasons.push_back(
        fmt::format("no operation of {} completed: this proves nothing", load));
  if (!judged.reasons.empty()) return judged;
  judged.outcome = Outcome::pass;
  judged.exit_code = 0;
  std::string reason = "no stall";
  if (!facts.stalls.empty())
    reason = fmt::format("no failing stall ({} that resolved)", facts.stalls.size());
  if (!facts.dropouts.empty()) reason += fmt::format(", {} dropouts", facts.dropouts.size());
  judged.reasons.push_back(reason);
  return judged;
}

}  // namespace stallproof
