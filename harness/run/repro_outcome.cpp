// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro_outcome.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stallproof {
namespace {

ReproOutcome unknown(std::vector<std::string> reasons) {
  return {Outcome::unknown, 3, std::move(reasons)};
}
ReproOutcome failed(std::string reason) { return {Outcome::fail, 1, {std::move(reason)}}; }
ReproOutcome passed(std::string reason) { return {Outcome::pass, 0, {std::move(reason)}}; }

ReproOutcome judge_stalled(const ReproFacts& facts) {
  if (facts.expectation == Expectation::quiet)
    return failed(fmt::format("stalled ({}) although quiet was expected", facts.signature));
  if (!as_promised(facts))
    return unknown(
        {fmt::format("stalled, but explained as {} and not as {}", facts.signature,
                     facts.expected_signatures.empty()
                         ? facts.expected_class
                         : fmt::format("{}", fmt::join(facts.expected_signatures, " or ")))});
  return passed(fmt::format("reproduced and explained: {}", facts.signature));
}

ReproOutcome judge_quiet(const ReproFacts& facts) {
  if (!facts.impaired.empty()) return unknown(facts.impaired);
  if (!facts.worthless.empty()) return unknown(facts.worthless);
  if (facts.has_hazard && facts.hazards == 0)
    return unknown({"no stall, but the hazard was never entered: this proves nothing"});
  const std::string seen =
      facts.has_hazard ? fmt::format(" although the hazard was entered {} times", facts.hazards)
                       : "";
  if (facts.expectation == Expectation::quiet) return passed("no stall" + seen);
  return failed("not reproduced: no stall" + seen);
}

}  // namespace

bool as_promised(const ReproFacts& facts) {
  const auto& wanted = facts.expected_signatures;
  return facts.stall_class == facts.expected_class &&
         (wanted.empty() ||
          std::find(wanted.begin(), wanted.end(), facts.signature) != wanted.end());
}

ReproOutcome judge_repro(const ReproFacts& facts) {
  if (!facts.lost.empty()) return unknown(facts.lost);
  if (facts.interrupted) return unknown({"interrupted"});
  // A stall that was found is no less true for what else could not be seen.
  ReproOutcome outcome = facts.stalled ? judge_stalled(facts) : judge_quiet(facts);
  if (!facts.unsaved.empty() && outcome.outcome != Outcome::fail) outcome = unknown({});
  if (!facts.unsaved.empty()) outcome.reasons.push_back(facts.unsaved);
  for (const std::string& thing : facts.left_behind)
    outcome.reasons.push_back("left behind: " + thing);
  if (!facts.left_behind.empty() && outcome.outcome == Outcome::pass) {
    outcome.outcome = Outcome::unknown;
    outcome.exit_code = 3;
  }
  return outcome;
}

}  // namespace stallproof
