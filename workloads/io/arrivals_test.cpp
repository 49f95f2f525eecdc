// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace stallproof {
namespace {

constexpr Nanos kStart = 100'000 * kSecond;

struct Gaps {
  double mean = 0, variation = 0;  // seconds; standard deviation over mean
};

Gaps gaps_of(ArrivalDistribution distribution, double per_second) {
  Arrivals arrivals(kStart, per_second, distribution, 1);
  std::vector<double> gaps;
  Nanos before = arrivals.next();
  for (int i = 0; i < 200'000; ++i) {
    const Nanos due = arrivals.next();
    gaps.push_back(static_cast<double>(due - before) / static_cast<double>(kSecond));
    before = due;
  }
  Gaps out;
  for (const double gap : gaps) out.mean += gap / static_cast<double>(gaps.size());
  double variance = 0;
  for (const double gap : gaps)
    variance += (gap - out.mean) * (gap - out.mean) / static_cast<double>(gaps.size());
  out.variation = std::sqrt(variance) / out.mean;
  return out;
}

TEST(Arrivals, RateIsKeptWhateverTheDistribution) {
  for (const double rate : {1'000.0, 50'000.0})
    for (const auto distribution : {ArrivalDistribution::exponential, ArrivalDistribution::uniform,
                                    ArrivalDistribution::deterministic})
      EXPECT_NEAR(gaps_of(distribution, rate).mean * rate, 1, 0.01);
}

TEST(Arrivals, SpreadTellsTheDistributionsApart) {
  EXPECT_NEAR(gaps_of(ArrivalDistribution::exponential, 1'000).variation, 1, 0.05);
  EXPECT_NEAR(gaps_of(ArrivalDistribution::uniform, 1'000).variation, std::sqrt(1 / 3.0), 0.02);
  EXPECT_NEAR(gaps_of(ArrivalDistribution::deterministic, 1'000).variation, 0, 0.001);
}

TEST(Arrivals, DeterministicOnesBeginATenthOfASecondLate) {
  Arrivals arrivals(kStart, 1'000, ArrivalDistribution::deterministic, 1);
  EXPECT_EQ(arrivals.next(), kStart + 100 * kMillisecond);
  EXPECT_EQ(arrivals.next(), kStart + 101 * kMillisecond);
}

TEST(Arrivals, RareOnesComeWithinThreeMinutes) {
  Arrivals arrivals(kStart, 1e-6, ArrivalDistribution::exponential, 1);
  EXPECT_LE(arrivals.next(), kStart + 180 * kSecond);
}

TEST(Arrivals, SameSeedGivesTheSameSchedule) {
  Arrivals one(kStart, 1'000, ArrivalDistribution::exponential, 7);
  Arrivals same(kStart, 1'000, ArrivalDistribution::exponential, 7);
  Arrivals other(kStart, 1'000, ArrivalDistribution::exponential, 8);
  const Nanos first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

}  // namespace
}  // namespace stallproof
