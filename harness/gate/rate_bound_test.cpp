// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/rate_bound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "harness/gate/regression.h"

namespace stallproof {
namespace {

// The chance to see at most `count` when `expected` are expected.
double poisson_below(std::uint64_t count, double expected) {
  double term = std::exp(-expected), sum = term;
  for (std::uint64_t i = 1; i <= count; ++i) {
    term *= expected / static_cast<double>(i);
    sum += term;
  }
  return sum;
}

TEST(RateBound, ZeroStallsInManyHours) {
  EXPECT_NEAR(rate_upper_bound(0, 10), 0.29957, 1e-5);
  EXPECT_NEAR(rate_upper_bound(0, 30), 0.09986, 1e-5);
  EXPECT_NEAR(rate_upper_bound(0, 500), 0.00599, 1e-5);
}

TEST(RateBound, AtTheBoundSoFewWouldBeSeenOnceInTwenty) {
  for (const std::uint64_t count : {0U, 1U, 2U, 3U, 10U, 100U})
    EXPECT_NEAR(poisson_below(count, rate_upper_bound(count, 24) * 24), 0.05, 1e-9) << count;
}

TEST(RunsNeeded, QuietRunsNeedTheLeast) {
  EXPECT_EQ(runs_needed(0), 5U);
  EXPECT_EQ(runs_needed(0.015), 5U);
  EXPECT_GT(runs_needed(0.03), runs_needed(0.02));
  EXPECT_GT(runs_needed(1e6), 1'000'000U);
}

// How often a slow-down of 5 % is found with normal values of this variation.
double found_share(double variation, std::size_t runs, int rounds) {
  std::mt19937 random(5);
  std::normal_distribution<double> usual(1000, 1000 * variation);
  int found = 0;
  for (int round = 0; round < rounds; ++round) {
    MetricValues values{"load", "throughput", true, {}, {}};
    for (std::size_t i = 0; i < runs; ++i) values.before.push_back(usual(random));
    for (std::size_t i = 0; i < runs; ++i) values.after.push_back(usual(random) * 0.95);
    const Comparison comparison = compare_metrics({values}, 0.03);
    found += comparison.metrics[0].change == Change::worse ? 1 : 0;
  }
  return static_cast<double>(found) / rounds;
}

TEST(RunsNeeded, SoManyRunsFindASlowDownOfFivePercent) {
  for (const double variation : {0.010, 0.015, 0.02, 0.03})
    EXPECT_GT(found_share(variation, runs_needed(variation), 400), 0.94) << variation;
}

TEST(RunsNeeded, HalfOfThemDoNot) {
  EXPECT_LT(found_share(0.04, runs_needed(0.04) / 2, 200), 0.93);
}

}  // namespace
}  // namespace stallproof
