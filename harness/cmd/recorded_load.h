// SPDX-License-Identifier: Apache-2.0
// What the plan that a run kept says of its load, in the words of scenarios: seed, how many threads
// of each kind were in its largest process, and their rates. Pure.
#pragma once

#include <string>

#include "harness/base/settings.h"

namespace stallproof {

// Empty for a text that is no such plan.
Settings recorded_load_words(const std::string& plan_toml);

}  // namespace stallproof
