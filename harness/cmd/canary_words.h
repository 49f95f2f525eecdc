// SPDX-License-Identifier: Apache-2.0
// --canary, the same for every command that runs a load of ours. Pure.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/run/canary_plan.h"

namespace stallproof {

// "yes", "try", "no", or nothing.
Result<CanaryWish> read_canary_wish(const std::string& word);

}  // namespace stallproof
