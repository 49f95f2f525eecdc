// SPDX-License-Identifier: Apache-2.0
// What was run, as words to compare: a throughput says something about a build only when machine,
// plan and target were the same. Pure.
#pragma once

#include <map>
#include <string>

#include "harness/store/run_read.h"

namespace stallproof {

// Everything that decides what a run measured, by a name for people: "node", "plan: process[0].
// load[1].threads". Without what differs from run to run anyway: seed, times, path of the target.
std::map<std::string, std::string> circumstances(const StoredRun& run);

// The first difference in words, "node: vm7, not vm8"; empty when there is none.
std::string first_difference(const std::map<std::string, std::string>& wanted,
                             const std::map<std::string, std::string>& found);

// [plan] warmup of plan.toml; 0 without one.
double warmup_ms_of(const std::string& plan);

}  // namespace stallproof
