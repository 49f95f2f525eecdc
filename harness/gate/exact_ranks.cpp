// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/exact_ranks.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace stallproof {
namespace {

// Twice the mid-rank of each value, in the order of `values`: a whole number also for ties.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&values](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<std::size_t> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    // Ranks first + 1 to end, twice their mean.
    for (std::size_t i = first; i < end; ++i) ranks[order[i]] = first + 1 + end;
    first = end;
  }
  return ranks;
}

// ways[sum]: how many choices of `size` of the ranks have this sum. Sums of more than 2^53 ways are
// rounded, each addition by one part in 10^16.
std::vector<double> ways_by_sum(const std::vector<std::size_t>& ranks, std::size_t size) {
  const std::size_t most = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(size + 1, std::vector<double>(most + 1, 0.0));
  ways[0][0] = 1;
  std::size_t seen = 0, reached = 0;
  for (const std::size_t rank : ranks) {
    reached += rank;
    for (std::size_t taken = std::min(++seen, size); taken > 0; --taken)
      for (std::size_t sum = rank; sum <= reached; ++sum)
        ways[taken][sum] += ways[taken - 1][sum - rank];
  }
  return ways[size];
}

std::size_t distance(std::size_t a, std::size_t b) { return a > b ? a - b : b - a; }

double two_sided(const std::vector<std::size_t>& ranks, std::size_t size, std::size_t observed) {
  // Twice the mean of the sum of `size` ranks of 1 to N is size * (N + 1).
  const std::size_t mean = size * (ranks.size() + 1);
  const std::vector<double> ways = ways_by_sum(ranks, size);
  double all = 0, as_far = 0;
  for (std::size_t sum = 0; sum < ways.size(); ++sum) {
    all += ways[sum];
    if (distance(sum, mean) >= distance(observed, mean)) as_far += ways[sum];
  }
  return as_far / all;
}

double usual_rise(const std::vector<double>& before, const std::vector<double>& after) {
  std::vector<double> quotients;
  quotients.reserve(before.size() * after.size());
  for (const double b : before) {
    if (!(b > 0)) return 0;
    for (const double a : after) quotients.push_back(a / b);
  }
  return median_of(std::move(quotients)) - 1;
}

}  // namespace

RankTest rank_test(const std::vector<double>& before, const std::vector<double>& after) {
  std::vector<double> values = before;
  values.insert(values.end(), after.begin(), after.end());
  const std::vector<std::size_t> ranks = doubled_ranks(values);
  const auto split = ranks.begin() + static_cast<std::ptrdiff_t>(before.size());
  const std::size_t observed = std::accumulate(ranks.begin(), split, std::size_t{0});
  return {two_sided(ranks, before.size(), observed), usual_rise(before, after)};
}

double least_p(std::size_t before, std::size_t after) {
  double ways = 1;
  for (std::size_t i = 1; i <= before; ++i)
    ways *= static_cast<double>(after + i) / static_cast<double>(i);
  return std::min(1.0, 2 / ways);
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace stallproof
