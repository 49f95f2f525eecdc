// SPDX-License-Identifier: Apache-2.0
// The parameters that the small scenarios have in common, and the checks of them.
#pragma once

#include <cstdint>

#include "harness/scenario/scenario.h"

namespace stallproof {

inline constexpr ScenarioParameter kWarmupParameter{"warmup", "1s",
                                                    "healthy load before it is armed"};
// Of a variant that does not stall: long enough to be seen, shorter than any stall.
inline constexpr const char* kBriefly = "300ms";
inline constexpr Nanos kBrieflyNs = 300 * kMillisecond;

Result<Nanos> read_warmup(const Settings& params);
// `threads`, between `least` and 1000.
Result<std::uint32_t> read_threads(const Settings& params, std::uint64_t least);

}  // namespace stallproof
