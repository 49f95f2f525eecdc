// SPDX-License-Identifier: Apache-2.0
// What a night runs, as commands that a person could type. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/run/nightly/night_plan.h"

namespace stallproof {

using CommandWords = std::vector<std::string>;  // behind `stallproof`

// The run on one target (empty: none was named). `plan_file`: the night's plan, where it has one.
CommandWords run_words(const NightPlan& night, const std::string& target,
                       const std::string& plan_file, const std::string& id);
// Over the runs; junit.xml and summary.md go into `folder`.
CommandWords gate_words(const NightPlan& night, const std::vector<std::string>& runs,
                        const std::string& folder);
// How long it may take at most: what begins and ends is given time, too.
Nanos run_limit(const NightPlan& night);
// As a shell takes them.
std::string shell_line(const CommandWords& words);

}  // namespace stallproof
