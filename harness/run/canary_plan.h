// SPDX-License-Identifier: Apache-2.0
// Which stall a run makes on purpose, to prove that it would have seen one: a scenario of the
// catalogue, on a place of its own. Asks the machine for the means; changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/detect/load_thresholds.h"
#include "harness/scenario/scenario.h"

namespace stallproof {

// What was said of the known stall on the command line. attempt: as yes, but without the means the
// run goes on, and is unknown.
enum class CanaryWish { as_planned, yes, attempt, no };
// "yes", "try" or "no"; as_planned has no word.
const char* word_of(CanaryWish wish);
inline bool is_wanted(CanaryWish wish) {
  return wish == CanaryWish::yes || wish == CanaryWish::attempt;
}

struct CanaryPlan {
  std::string scenario;
  std::string place;  // for people: "a FUSE mount of its own"
  LabPlan lab;
};

// The reported stall, where there is FUSE; else a frozen file system. Lacking means are Errors.
Result<CanaryPlan> plan_canary();

// A stall of some seconds must not crash this machine. `panic` and `after_s` as in the kernel's
// hung_task_panic and hung_task_timeout_secs; after 0 s it never looks.
Result<> canary_is_safe(std::uint64_t panic, std::uint64_t after_s);

// What its loads are judged by: as the run's, but that it cannot stand for longer than it lives.
Thresholds canary_thresholds(const Thresholds& run);
// The same for each of its loads, which are counted behind `first` others.
std::vector<OwnThresholds> canary_thresholds(const Thresholds& run, std::uint32_t first,
                                             const LabPlan& lab);

}  // namespace stallproof
