// SPDX-License-Identifier: Apache-2.0
// Whether this machine has what a scenario finds there and cannot make: asked before anything is
// changed. Reads files of /sys and /dev; blocks for nobody.
#pragma once

#include <span>
#include <string>

#include "harness/base/result.h"
#include "harness/scenario/scenario.h"

namespace stallproof {

// The first need that is not met, as one line with what to try (Origin::lacking).
Result<> check_needs(const std::string& scenario, std::span<const Need> needs);

}  // namespace stallproof
