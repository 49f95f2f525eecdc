// SPDX-License-Identifier: Apache-2.0
// Which scenarios make the stall that a signature names. Pure: asks the catalogue.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/scenario.h"

namespace stallproof {

// What is known of a stall that was told.
struct ToldStall {
  std::string stall_class, signature;
  // Functions on stacks, and ids of nodes; see LabPlan::marks.
  std::vector<std::string> words = {};
};

struct ScenarioMatch {
  const Scenario* scenario = nullptr;
  std::string variant;
  Settings params = {};  // by which it is told so
  bool exact = false;    // the signature itself; else only its class
};

// Best first: exact ones, then those of the same class; those whose marks are seen before those
// that have none, and these before those whose marks are missing; hosts before guests; in the
// catalogue's order. Variants that must stay quiet are no match. Empty: no scenario makes such a
// stall.
std::vector<ScenarioMatch> match_signature(const ToldStall& stall);

// Those that are promised, then the usual ones.
std::vector<std::string> known_signatures(const LabPlan& plan);

}  // namespace stallproof
