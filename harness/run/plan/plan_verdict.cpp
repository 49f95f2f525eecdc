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

struct Dropped {
  std::uint64_t count = 0;
  double seconds = 0;
};

void judge_own(const std::string& load, const Dropped& dropped, const PlanLimits& own,
               std::vector<std::string>& reasons) {
  if (own.max_dropouts && dropped.count > *own.max_dropouts)
    reasons.push_back(fmt::format("{} dropouts of {}, at most {} are allowed", dropped.count, load,
                                  *own.max_dropouts));
}

// A load with a limit of its own does not count in that of the plan.
void judge_dropouts(const PlanFacts& facts, std::vector<std::string>& reasons) {
  std::map<std::string, Dropped> by_load;
  for (const DropoutEntry& dropout : facts.dropouts) {
    Dropped& dropped = by_load[dropout.workload];
    ++dropped.count;
    dropped.seconds += dropout.duration_ms / 1e3;
  }
  std::uint64_t together = 0;
  for (const auto& [load, dropped] : by_load) {
    const auto own = facts.load_limits.find(load);
    const bool has_own = own != facts.load_limits.end();
    if (has_own) judge_own(load, dropped, own->second, reasons);
    if (!has_own || !own->second.max_dropouts) together += dropped.count;
  }
  const PlanLimits& limits = facts.limits;
  if (limits.max_dropouts && together > *limits.max_dropouts)
    reasons.push_back(
        fmt::format("{} dropouts, at most {} are allowed", together, *limits.max_dropouts));
  for (const auto& [load, dropped] : by_load) {
    const auto own = facts.load_limits.find(load);
    auto most = limits.max_dropout_seconds;
    if (own != facts.load_limits.end() && own->second.max_dropout_seconds)
      most = own->second.max_dropout_seconds;
    if (most && dropped.seconds > *most)
      reasons.push_back(fmt::format("{:.1f} s of dropouts of {}, at most {} are allowed",
                                    dropped.seconds, load, *most));
  }
}

// Loads that did less than the plan wants, and so prove nothing.
void judge_work(const PlanFacts& facts, std::vector<std::string>& reasons) {
  for (const auto& [load, ops] : facts.ops) {
    const auto own = facts.load_limits.find(load);
    auto least = facts.limits.min_ops;
    if (own != facts.load_limits.end() && own->second.min_ops) least = own->second.min_ops;
    if (least && ops < *least)
      reasons.push_back(
          fmt::format("{} operations of {} completed, at least {} are wanted", ops, load, *least));
  }
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
  append(judged.reasons, facts.blind);
  for (const std::string& load : facts.idle)
    judged.reasons.push_back(
        fmt::format("no operation of {} completed: this proves nothing", load));
  judge_work(facts, judged.reasons);
  if (!judged.reasons.empty()) return judged;
  judged.outcome = Outcome::pass;
  judged.exit_code = 0;
  std::string reason = "no stall";
  if (!facts.stalls.empty())
    reason = fmt::format("no failing stall ({} that resolved)", facts.stalls.size());
  if (!facts.dropouts.empty()) reason += fmt::format(", {} dropouts", facts.dropouts.size());
  if (facts.proven) reason += "; a stall made on purpose was seen and explained";
  judged.reasons.push_back(reason);
  return judged;
}

}  // namespace stallproof
