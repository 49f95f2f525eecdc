// SPDX-License-Identifier: Apache-2.0
// A run's plan.toml where vdbench's parameter files are the plan: what was said beside them, so
// that the run can be made again (sink/report/rerun_command.h) and compared (gate, merge). Asks for
// the working directory, else pure.
#pragma once

#include <string>
#include <vector>

#include "harness/run/vdbench/vdbench_options.h"

namespace stallproof {

// `places`: luns and anchors, as they are named. Without labels, and without what is done at a
// stall or told to others: who makes a run again says that anew.
std::string vdbench_plan_toml(const VdbenchOptions& options,
                              const std::vector<std::string>& places);

}  // namespace stallproof
