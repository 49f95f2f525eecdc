// SPDX-License-Identifier: Apache-2.0
// Mann-Whitney's test of two small samples, exact, with ties: the distribution of the rank sum over
// all ways to deal the values observed to the two sides, counted by recursion. Pure; allocates.
#pragma once

#include <cstddef>
#include <vector>

namespace stallproof {

// A side with more than this takes too long to count.
inline constexpr std::size_t kMostRanked = 100;

struct RankTest {
  double p = 1;     // two-sided: a rank sum as far from its mean as this, or further
  double rise = 0;  // the usual factor from a value of `before` to one of `after`, less one
};

// Both sides have 1 to kMostRanked values. `rise` is Hodges' and Lehmann's estimate of a common
// factor: the median of all quotients after / before; 0 when some value of `before` is not above 0.
RankTest rank_test(const std::vector<double>& before, const std::vector<double>& after);

// The least p that any two samples of these sizes can give.
double least_p(std::size_t before, std::size_t after);

// Of a list that is not empty; of an even number of values the mean of the middle two.
double median_of(std::vector<double> values);

}  // namespace stallproof
