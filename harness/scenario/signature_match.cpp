// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/signature_match.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>

#include "harness/scenario/catalogue.h"

namespace stallproof {
namespace {

struct Candidate {
  ScenarioMatch match;
  int marks = 0;  // 0: all are seen; 1: there are none; 2: some are missing

  [[nodiscard]] auto rank() const {
    return std::tuple(!match.exact, marks, match.scenario->where != "host");
  }
};

bool begins_a_word(std::string_view beginning, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [beginning](const std::string& word) { return word.starts_with(beginning); });
}

// `mark`: "one|other".
bool seen(std::string_view mark, const std::vector<std::string>& words) {
  while (true) {
    const std::size_t bar = mark.find('|');
    if (begins_a_word(mark.substr(0, bar), words)) return true;
    if (bar == std::string_view::npos) return false;
    mark.remove_prefix(bar + 1);
  }
}

int look_for(const std::vector<std::string>& marks, const std::vector<std::string>& words) {
  if (marks.empty()) return 1;
  const bool all = std::all_of(marks.begin(), marks.end(),
                               [&words](const std::string& mark) { return seen(mark, words); });
  return all ? 0 : 2;
}

// Absent where that makes a stall of another class.
std::optional<Candidate> candidate(const Scenario& scenario, const ScenarioRequest& request,
                                   const ToldStall& stall) {
  const auto plan = plan_scenario(scenario, request);
  if (!plan || plan->expected_class != stall.stall_class) return std::nullopt;
  const auto known = known_signatures(*plan);
  const bool exact = std::find(known.begin(), known.end(), stall.signature) != known.end();
  return Candidate{.match = {.scenario = &scenario,
                             .variant = request.variant,
                             .params = request.params,
                             .exact = exact},
                   .marks = look_for(plan->marks, stall.words)};
}

}  // namespace

std::vector<std::string> known_signatures(const LabPlan& plan) {
  std::vector<std::string> known = plan.expected_signatures;
  known.insert(known.end(), plan.usual_signatures.begin(), plan.usual_signatures.end());
  return known;
}

std::vector<ScenarioMatch> match_signature(const ToldStall& stall) {
  std::vector<Candidate> found;
  for (const Scenario& scenario : scenarios()) {
    for (const Named& variant : scenario.variants) {
      if (variant.quiet) continue;
      const std::string name(variant.name);
      if (auto usual = candidate(scenario, {.variant = name}, stall))
        found.push_back(std::move(*usual));
      for (const OtherWay& way : scenario.other_ways) {
        Settings params;
        params.set(std::string(way.parameter), std::string(way.value));
        auto other = candidate(scenario, {.variant = name, .params = params}, stall);
        if (other && other->match.exact) found.push_back(std::move(*other));
      }
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Candidate& a, const Candidate& b) { return a.rank() < b.rank(); });
  std::vector<ScenarioMatch> matches;
  for (Candidate& each : found) matches.push_back(std::move(each.match));
  return matches;
}

}  // namespace stallproof
