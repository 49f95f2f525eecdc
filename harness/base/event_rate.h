// SPDX-License-Identifier: Apache-2.0
// How often something comes, from how often it came: exact bounds of a Poisson rate. Pure.
#pragma once

#include <cstdint>

namespace stallproof {

struct EventRate {
  double rate = 0;  // events per unit of exposure
  double low = 0, high = 0;
};

// 95 % bounds (Garwood 1936: chi-squared quantiles 2.5 % and 97.5 %). Of no event at all the upper
// one is one-sided, 3.0 / exposure, which is what "none in T" proves. `exposure` 0: all zero.
EventRate event_rate(std::uint64_t events, double exposure);

// Largest mean of a Poisson count with which `events` or fewer would still be seen with probability
// 1 - confidence: the exact one-sided bound (half of the chi-squared quantile with 2 events + 2
// degrees of freedom). 2.996 for none at 95 %.
double poisson_upper_bound(std::uint64_t events, double confidence);

}  // namespace stallproof
