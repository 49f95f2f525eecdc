// SPDX-License-Identifier: Apache-2.0
// Every detector, for help and documentation.
#pragma once

#include <array>
#include <string_view>

namespace stallproof {

struct DetectorInfo {
  std::string_view name;
  std::string_view summary;
};

inline constexpr std::array kDetectors{
    DetectorInfo{"no-progress",
                 "a load has an op in flight and has completed none for stall-after"},
    DetectorInfo{"stuck-op",
                 "one op is in flight for fail-after while others of its load complete"},
    DetectorInfo{"blocked-tasks",
                 "watched tasks in D that have not run for stall-after (supports a stall)"},
    DetectorInfo{"dropout", "throughput under dropout-below of its 60 s median for at least 2 s"}};

}  // namespace stallproof
