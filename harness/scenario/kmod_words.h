// SPDX-License-Identifier: Apache-2.0
// What the scenarios on the module ffs_stub have in common.
#pragma once

#include <string>

#include "harness/scenario/scenario.h"

namespace stallproof {

// A lab on /dev/ffs whose module is loaded with `fix`; the loads and what is expected are left to
// the scenario. Warm-up as the parameters say.
Result<LabPlan> ffs_module_lab(const Settings& params, const std::string& fix);

}  // namespace stallproof
