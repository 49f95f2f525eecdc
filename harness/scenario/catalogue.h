// SPDX-License-Identifier: Apache-2.0
// Every scenario there is: help, `list scenarios` and the documentation are made from this table.
#pragma once

#include <span>
#include <string_view>

#include "harness/scenario/scenario.h"

namespace stallproof {

std::span<const Scenario> scenarios();
// The error lists the known ones.
Result<const Scenario*> find_scenario(std::string_view id);

}  // namespace stallproof
