// SPDX-License-Identifier: Apache-2.0
// By what a run judged its stalls that did not get to write its verdict. Blocking: reads files of
// the run directory.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/store/verdict.h"

namespace stallproof {

// As its manifest says; where an older version made that, as its plan does; else what the command
// has by default. `scenario`: of repro, empty otherwise.
RunThresholds thresholds_of_killed(const std::string& directory, const std::string& scenario);

// Of a stall of these loads: what fails for one of them fails. Where they are not known, what would
// fail for any.
Nanos fail_after_of(const RunThresholds& thresholds, const std::vector<std::string>& loads);

}  // namespace stallproof
