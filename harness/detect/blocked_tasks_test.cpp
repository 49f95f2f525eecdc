// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/blocked_tasks.h"

#include <gtest/gtest.h>

#include <memory>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

BlockedView scan(BlockedTaskTable& table, Nanos now, std::uint64_t switches) {
  table.begin_scan(now);
  table.saw(7, switches);
  return table.finish_scan(kSecond);
}

TEST(BlockedTasks, SameSwitchCountForStallAfterIsBlocked) {
  auto table = std::make_unique<BlockedTaskTable>();
  EXPECT_EQ(scan(*table, 1 * kSecond, 5).blocked, 0U);
  const BlockedView view = scan(*table, 2 * kSecond, 5);
  EXPECT_EQ(view.blocked, 1U);
  EXPECT_EQ(view.first_tid, 7U);
  EXPECT_EQ(view.longest_ns, kSecond);
}

TEST(BlockedTasks, TaskThatRanInBetweenIsNotBlocked) {
  auto table = std::make_unique<BlockedTaskTable>();
  scan(*table, 1 * kSecond, 5);
  EXPECT_EQ(scan(*table, 2 * kSecond, 6).blocked, 0U);
}

TEST(BlockedTasks, TaskMissingFromOneScanStartsAnew) {
  auto table = std::make_unique<BlockedTaskTable>();
  scan(*table, 1 * kSecond, 5);
  table->begin_scan(2 * kSecond);
  EXPECT_EQ(table->finish_scan(kSecond).blocked, 0U);
  EXPECT_EQ(scan(*table, 3 * kSecond, 5).blocked, 0U);
}

TEST(BlockedTasks, ManyTasksAreKeptAparted) {
  auto table = std::make_unique<BlockedTaskTable>();
  for (const Nanos now : {kSecond, 3 * kSecond}) {
    table->begin_scan(now);
    for (std::uint32_t tid = 1; tid <= 10000; ++tid) table->saw(tid, tid % 2 == 0 ? 1 : now);
  }
  const BlockedView view = table->finish_scan(kSecond);
  EXPECT_EQ(view.blocked + 0, 5000U);
  EXPECT_EQ(table->overflow(), 0U);
}

TEST(BlockedTasks, DetectorReportsThemAndIsQuietWithoutThem) {
  BlockedTasks detector;
  FindingList found;
  ViewBuilder build;
  build.at(5 * kSecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
  build.view.blocked = {
      .scanned_ns = 5 * kSecond, .blocked = 3, .first_tid = 7, .longest_ns = kSecond};
  detector.check(build.view, found);
  ASSERT_EQ(count_of(found, FindingKind::blocked_tasks), 1U);
  EXPECT_EQ(found.items()[0].since_ns, 4 * kSecond);
}

}  // namespace
}  // namespace stallproof
