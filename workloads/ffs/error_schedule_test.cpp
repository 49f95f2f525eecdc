// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/error_schedule.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = ErrorSchedule::kPageSize;

TEST(ErrorSchedule, EveryOtherReadOfAPageFailsStartingWithTheFirst) {
  ErrorSchedule schedule(16 * kPage);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(schedule.error_due(1, 3 * kPage, kPage));
    EXPECT_FALSE(schedule.error_due(1, 3 * kPage, kPage));
  }
}

TEST(ErrorSchedule, PagesCountForThemselves) {
  ErrorSchedule schedule(16 * kPage);
  EXPECT_TRUE(schedule.error_due(1, 0, kPage));
  EXPECT_TRUE(schedule.error_due(1, kPage, kPage));
  EXPECT_FALSE(schedule.error_due(1, 0, kPage));
}

TEST(ErrorSchedule, NewArmingStartsAfresh) {
  ErrorSchedule schedule(16 * kPage);
  EXPECT_TRUE(schedule.error_due(1, 0, kPage));
  EXPECT_TRUE(schedule.error_due(2, 0, kPage));
}

TEST(ErrorSchedule, SecondTryOfOnePageAfterAFailedReadaheadSucceeds) {
  ErrorSchedule schedule(16 * kPage);
  EXPECT_TRUE(schedule.error_due(1, 0, 8 * kPage));
  EXPECT_FALSE(schedule.error_due(1, 5 * kPage, kPage));
}

TEST(ErrorSchedule, ReadBehindTheEndNeverFails) {
  ErrorSchedule schedule(kPage + 1);
  EXPECT_TRUE(schedule.error_due(1, kPage, kPage));
  EXPECT_FALSE(schedule.error_due(1, 2 * kPage, kPage));
}

}  // namespace
}  // namespace stallproof
