// SPDX-License-Identifier: Apache-2.0
// How a run ends for whoever started it: verdict.json, the same document or one line per reason on
// the console, and the exit code, which is never 0 when something could not be kept or said.
#pragma once

#include <string>
#include <vector>

#include "harness/sink/console.h"
#include "harness/store/run_dir.h"
#include "harness/store/verdict.h"

namespace stallproof {

// `notes`: lines for people that follow the reasons.
int deliver_verdict(RunDir& run, Console& console, const Verdict& verdict,
                    const std::vector<std::string>& notes);

}  // namespace stallproof
