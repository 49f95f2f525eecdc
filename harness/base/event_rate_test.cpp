// SPDX-License-Identifier: Apache-2.0
#include "harness/base/event_rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace stallproof {
namespace {

TEST(EventRate, NoEventInTenHoursIsLessThanThreeInTen) {
  const EventRate rate = event_rate(0, 10);
  EXPECT_EQ(rate.rate, 0);
  EXPECT_EQ(rate.low, 0);
  EXPECT_NEAR(rate.high, 0.29957, 1e-5);
}

// Published: Ulm, American Journal of Epidemiology 131 (1990), table of exact limits.
TEST(EventRate, BoundsAreThoseOfTheTables) {
  EXPECT_NEAR(event_rate(1, 1).low, 0.0253, 1e-4);
  EXPECT_NEAR(event_rate(1, 1).high, 5.5716, 1e-4);
  EXPECT_NEAR(event_rate(10, 1).low, 4.7954, 1e-4);
  EXPECT_NEAR(event_rate(10, 1).high, 18.3904, 1e-4);
  EXPECT_NEAR(event_rate(100, 1).low, 81.3640, 1e-3);
  EXPECT_NEAR(event_rate(100, 1).high, 121.6273, 1e-3);
}

TEST(EventRate, OneOfManyMovesTheBoundsByALittleMoreThanOneOrLess) {
  const EventRate summed = event_rate(2000, 1), close = event_rate(2001, 1);
  // One more event moves a bound by 1 and by what the square root of the count grows.
  const double root = 1.96 / 2 / std::sqrt(2000);
  EXPECT_NEAR(close.low - summed.low, 1 - root, 1e-3);
  EXPECT_NEAR(close.high - summed.high, 1 + root, 1e-3);
}

TEST(EventRate, WithoutHoursThereIsNoRate) { EXPECT_EQ(event_rate(3, 0).high, 0); }

TEST(PoissonUpperBound, NoneSeenIsTheRuleOfThree) {
  EXPECT_NEAR(poisson_upper_bound(0, 0.95), -std::log(0.05), 1e-12);
  EXPECT_NEAR(poisson_upper_bound(0, 0.99), -std::log(0.01), 1e-12);
}

// Tables of the exact Poisson limits (Garwood).
TEST(PoissonUpperBound, FewEventsAreAsInTheTables) {
  EXPECT_NEAR(poisson_upper_bound(1, 0.95), 4.7439, 1e-4);
  EXPECT_NEAR(poisson_upper_bound(2, 0.95), 6.2958, 1e-4);
  EXPECT_NEAR(poisson_upper_bound(10, 0.95), 16.9622, 1e-4);
}

TEST(PoissonUpperBound, TheBoundIsWhereSoFewAreSeenOneTimeInTwenty) {
  for (const std::uint64_t events : {0U, 3U, 25U}) {
    const double mean = poisson_upper_bound(events, 0.95);
    double term = std::exp(-mean), below = term;
    for (std::uint64_t i = 1; i <= events; ++i) below += term *= mean / static_cast<double>(i);
    EXPECT_NEAR(below, 0.05, 1e-9) << events;
  }
}

}  // namespace
}  // namespace stallproof
