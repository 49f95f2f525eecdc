// SPDX-License-Identifier: Apache-2.0
// What a count of stalls in a time of observation says of their rate, and how many runs a
// comparison needs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stallproof {

// The largest rate per hour that 95 % confidence leaves: exact for a Poisson process.
// `hours` > 0.
double rate_upper_bound(std::uint64_t count, double hours);

struct RunsNeeded {
  double slowdown = 0.05;    // to be found
  double power = 0.95;       // how often
  double alpha = 0.05;       // two-sided
  double min_effect = 0.03;  // what is smaller is not told
};

// Runs a side, at least 5, so that a slow-down is found: by the normal approximation, with the
// efficiency 3/pi of the rank test and of its estimate, and so that the estimate passes
// `min_effect` as often. `variation`: run-to-run standard deviation by mean. `slowdown` is larger
// than `min_effect`.
std::size_t runs_needed(double variation, const RunsNeeded& wanted = {});

}  // namespace stallproof
