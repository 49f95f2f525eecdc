// SPDX-License-Identifier: Apache-2.0
// `run nightly.toml`, and the look at the node before any other run.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/run/nightly/night_plan.h"

namespace stallproof {

// Empty where nothing was said.
struct NightCommandWords {
  std::string file, target, duration, out;
  std::vector<std::string> labels;
  bool accept_unclean = false, dry_run = false, json = false, quiet = false;
};
Result<int> run_night_words(const NightCommandWords& words);

// Says on stderr what is not clean; an Error (Origin::infra) unless that is accepted.
Result<> refuse_unclean_node(bool accept);

}  // namespace stallproof
