// SPDX-License-Identifier: Apache-2.0
// What `repro --from` found, for people and programs. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/cmd/reported_stall.h"
#include "harness/explain/explanation_compare.h"
#include "harness/run/smallest.h"

namespace stallproof {

struct ChosenScenario {
  const Scenario* scenario = nullptr;
  ScenarioRequest request;
  bool exact = false;     // the signature is one that it makes; else only the class
  bool recorded = false;  // it says itself by what it was made
  std::vector<std::string> signatures = {};  // that it is known by, as run: any is this stall
};

struct ReproFromResult {
  ReportedStall stall;
  std::optional<ChosenScenario> chosen;
  ScenarioRequest request;                          // as run
  std::string run;                                  // its directory
  int code = 3;                                     // how the reproduction ended
  std::optional<ExplanationComparison> comparison;  // absent: no stall came
  std::string reproduced_signature;
  std::optional<Smallest> smallest;
  bool interrupted = false;  // by a signal, before all was tried
};

// What came was the reported stall, or another face of the scenario that makes it.
bool made_again(const ReproFromResult& result);

// Before it is run.
std::string heading_text(const ReproFromResult& result);
std::string result_text(const ReproFromResult& result, int code);
// {reported{source, class, signature}, match{scenario, variant, fix, how}, params{}, run,
// reproduced, comparison{same_class, same_signature, nodes[], roles{}}|null,
// smallest{threads{}, trials, complete}|null, interrupted, exit_code}
std::string result_json(const ReproFromResult& result, int code);

}  // namespace stallproof
