// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/load_rates.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(LoadRates, NothingCompletedHasNoQuantile) {
  EXPECT_FALSE(quantile_us({}, 0.99));
  EXPECT_FALSE(rate_between({}, {}, kSecond).p99_us);
}

TEST(LoadRates, QuantileLiesWithinItsClass) {
  LatencyCounts counts{};
  counts[0] = 980;  // up to 50 us
  counts[3] = 20;   // 250 us to 1 ms: the 990th of 1000 is the 10th of 20 in it
  ASSERT_TRUE(quantile_us(counts, 0.99));
  EXPECT_NEAR(*quantile_us(counts, 0.99), 250 + 750 * 10 / 20.0, 0.01);
  EXPECT_LE(*quantile_us(counts, 0.5), 50);
}

TEST(LoadRates, OfTheOpenClassTheLowerEdgeIsKnown) {
  LatencyCounts counts{};
  counts.back() = 1;
  EXPECT_DOUBLE_EQ(*quantile_us(counts, 0.99), 3600e6);
}

TEST(LoadRates, RatesAreOfTheTimeBetween) {
  LoadFigures before, now;
  before.ops = 100;
  now.ops = 600;
  now.bytes = 4096;
  now.latency[1] = 500;
  const LoadRate rate = rate_between(before, now, 2 * kSecond);
  EXPECT_DOUBLE_EQ(rate.ops_per_s, 250);
  EXPECT_DOUBLE_EQ(rate.bytes_per_s, 2048);
  ASSERT_TRUE(rate.p99_us);
  EXPECT_GT(*rate.p99_us, 50);
  EXPECT_LE(*rate.p99_us, 100);
}

TEST(LoadRates, CountersThatWentBackCountFromZero) {
  LoadFigures before, now;
  before.ops = 1000;
  now.ops = 10;
  EXPECT_DOUBLE_EQ(rate_between(before, now, kSecond).ops_per_s, 10);
  EXPECT_DOUBLE_EQ(rate_between(before, now, 0).ops_per_s, 0);
}

}  // namespace
}  // namespace stallproof
