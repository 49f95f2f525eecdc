// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch_outcome.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

WatchOutcome unknown(std::vector<std::string> reasons) {
  return {Outcome::unknown, 3, std::move(reasons)};
}

std::string no_failing_stall(const WatchFacts& facts) {
  std::string reason = facts.stalls == 0
                           ? "no stall"
                           : fmt::format("no failing stall ({} that resolved)", facts.stalls);
  if (facts.proven) reason += "; a stall made on purpose was seen and explained";
  return reason;
}

WatchOutcome judge_quiet(const WatchFacts& facts) {
  std::vector<std::string> doubts = facts.lost;
  if (facts.interrupted) doubts.emplace_back("interrupted");
  doubts.insert(doubts.end(), facts.impaired.begin(), facts.impaired.end());
  doubts.insert(doubts.end(), facts.unproven.begin(), facts.unproven.end());
  if (!facts.unsaved.empty()) doubts.push_back(facts.unsaved);
  const bool failed = facts.command_exit.value_or(0) != 0;
  // A command that was not found or failed at once has done no work: its own code says why.
  if (!facts.worked && !failed)
    doubts.emplace_back("no file-system work of the target was seen: this proves nothing");
  if (!doubts.empty()) return unknown(doubts);
  if (!failed) return {Outcome::pass, 0, {no_failing_stall(facts)}};
  return {Outcome::unknown,
          *facts.command_exit,
          {fmt::format("{}, but the command ended with {}", no_failing_stall(facts),
                       *facts.command_exit)}};
}

}  // namespace

WatchOutcome judge_watch(const WatchFacts& facts) {
  if (facts.failing.empty()) return judge_quiet(facts);
  WatchOutcome outcome{Outcome::fail, 1, {}};
  for (const std::string& stall : facts.failing) outcome.reasons.push_back("stalled: " + stall);
  if (!facts.unsaved.empty()) outcome.reasons.push_back(facts.unsaved);
  return outcome;
}

}  // namespace stallproof
