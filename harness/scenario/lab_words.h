// SPDX-License-Identifier: Apache-2.0
// What the scenarios on a small ffs have in common: its words, and parameters read with their
// limits.
#pragma once

#include <cstdint>

#include "harness/scenario/scenario.h"

namespace stallproof {

inline constexpr ScenarioParameter kShortWarmup{"warmup", "1s",
                                                "healthy load before the variant is armed"};
inline constexpr ScenarioParameter kPause{
    "pause", "300ms", "what a slow answer takes, and what the service waits before it goes astray"};

// A lab with a writable ffs of `service_threads`, warm-up and pause as the parameters say, no
// hazard of the reported stall. A pause must be shorter than a stall.
Result<LabPlan> small_ffs_lab(const Settings& params, unsigned service_threads);

// Between `least` and 64.
Result<std::uint32_t> read_threads(const Settings& params, const char* name,
                                   std::uint64_t least = 1);
// None where it has no thread.
void add_load(LabPlan& lab, const char* name, std::uint32_t threads);

}  // namespace stallproof
