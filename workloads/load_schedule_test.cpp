// SPDX-License-Identifier: Apache-2.0
#include "workloads/load_schedule.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(LoadSchedule, WithoutTimesItIsAlwaysOn) {
  const LoadSchedule schedule;
  EXPECT_TRUE(schedule.on_at(0));
  EXPECT_TRUE(schedule.on_at(1000 * kSecond));
  EXPECT_EQ(schedule.next_change(5), ~Nanos{0});
}

TEST(LoadSchedule, StartAndEndBoundIt) {
  const LoadSchedule schedule{.start = 2 * kSecond, .end = 5 * kSecond, .phases = {}};
  EXPECT_FALSE(schedule.on_at(kSecond));
  EXPECT_TRUE(schedule.on_at(2 * kSecond));
  EXPECT_FALSE(schedule.on_at(5 * kSecond));
  EXPECT_FALSE(schedule.over_at(kSecond));
  EXPECT_TRUE(schedule.over_at(5 * kSecond));
  EXPECT_EQ(schedule.next_change(0), 2 * kSecond);
  EXPECT_EQ(schedule.next_change(3 * kSecond), 5 * kSecond);
}

TEST(LoadSchedule, PhasesComeAgain) {
  const LoadSchedule schedule{.start = 0, .end = 0, .phases = {{kSecond, true}, {kSecond, false}}};
  EXPECT_TRUE(schedule.on_at(kSecond / 2));
  EXPECT_FALSE(schedule.on_at(kSecond));
  EXPECT_TRUE(schedule.on_at(2 * kSecond));
  EXPECT_FALSE(schedule.on_at(7 * kSecond));
  EXPECT_EQ(schedule.next_change(6 * kSecond), 7 * kSecond);
}

TEST(LoadSchedule, ASecondThatIsPartlyOffIsNotOnThroughout) {
  const LoadSchedule schedule{
      .start = 0, .end = 0, .phases = {{1500 * kMillisecond, true}, {kSecond, false}}};
  EXPECT_TRUE(schedule.on_throughout(0, kSecond));
  EXPECT_FALSE(schedule.on_throughout(kSecond, 2 * kSecond));
}

}  // namespace
}  // namespace stallproof
