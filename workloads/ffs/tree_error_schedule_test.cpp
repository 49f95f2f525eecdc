// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/tree_error_schedule.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = TreeErrorSchedule::kPageSize;

TEST(TreeErrorSchedule, EveryOtherReadOfAPageFailsStartingWithTheFirst) {
  TreeErrorSchedule schedule;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(schedule.error_due(1, 9, 3 * kPage, kPage));
    EXPECT_FALSE(schedule.error_due(1, 9, 3 * kPage, kPage));
  }
}

TEST(TreeErrorSchedule, SamePageOfAnotherFileCountsForItself) {
  TreeErrorSchedule schedule;
  EXPECT_TRUE(schedule.error_due(1, 9, 0, kPage));
  EXPECT_TRUE(schedule.error_due(1, 10, 0, kPage));
  EXPECT_FALSE(schedule.error_due(1, 9, 0, kPage));
}

TEST(TreeErrorSchedule, SecondTryOfOnePageAfterAFailedReadaheadSucceeds) {
  TreeErrorSchedule schedule;
  EXPECT_TRUE(schedule.error_due(1, 9, 0, 8 * kPage));
  EXPECT_FALSE(schedule.error_due(1, 9, 5 * kPage, kPage));
}

TEST(TreeErrorSchedule, NewArmingStartsAfresh) {
  TreeErrorSchedule schedule;
  EXPECT_TRUE(schedule.error_due(1, 9, 0, kPage));
  EXPECT_TRUE(schedule.error_due(2, 9, 0, kPage));
}

}  // namespace
}  // namespace stallproof
