// SPDX-License-Identifier: Apache-2.0
// What happened between two looks at a run's figures. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "harness/base/clock.h"
#include "harness/sink/run_figures.h"

namespace stallproof {

// By linear interpolation within the class it falls into; in the open last class, its lower edge.
// Nothing where nothing was counted.
std::optional<double> quantile_us(const LatencyCounts& counts, double quantile);

struct LoadRate {
  double ops_per_s = 0;
  double bytes_per_s = 0;
  std::optional<double> p99_us;  // of the operations completed between; interpolated
};

// `before` and `now` are of the same load. Counters that went back (another process took the name)
// count from zero.
LoadRate rate_between(const LoadFigures& before, const LoadFigures& now, Nanos span);

// The load of that name; null when there is none.
const LoadFigures* find_load(const RunFigures& figures, const std::string& name);

}  // namespace stallproof
