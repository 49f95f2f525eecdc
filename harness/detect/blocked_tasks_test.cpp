// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/blocked_tasks.h"

#include <gtest/gtest.h>

#include <memory>

#include "harness/detect/view_builder.h"
#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

BlockedView scan(BlockedTaskTable& table, Nanos now, std::uint64_t switches,
                 std::uint64_t stack = 1) {
  table.begin_scan(now);
  table.saw(7, switches, stack);
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
  EXPECT_EQ(scan(*table, 2 * kSecond, 6, 2).blocked, 0U);
}

// blk_io_schedule: woken twice per time-out of the kernel's detector, back to sleep at once.
TEST(BlockedTasks, RareSwitchAtTheSamePlaceIsNoMove) {
  auto table = std::make_unique<BlockedTaskTable>();
  for (std::uint64_t second = 1; second < 10; ++second)
    scan(*table, second * kSecond, 5 + 2 * second);
  const BlockedView view = scan(*table, 10 * kSecond, 25);
  EXPECT_EQ(view.blocked, 1U);
  EXPECT_EQ(view.longest_ns, 9 * kSecond);
}

TEST(BlockedTasks, BusyTaskAlwaysFoundAtTheSamePlaceIsNotBlocked) {
  auto table = std::make_unique<BlockedTaskTable>();
  for (std::uint64_t second = 1; second < 10; ++second)
    EXPECT_EQ(scan(*table, second * kSecond, 1000 * second).blocked, 0U);
}

ScanTask in_d() {
  ScanTask task{};
  task.state = 0x2;
  task.frames[0] = 0xffffffff81000100;
  return task;
}

TEST(BlockedTasks, HowATaskWaitsIsCountedAndSleepersAreNotBlocked) {
  const QuietFunctions none;
  ScanTask killable = in_d();
  killable.state |= 0x100;
  ScanTask asleep = in_d();
  asleep.state = 0x1;
  asleep.why = SCAN_WHY_WATCHED | SCAN_WHY_CALL;
  ScanTask stranger = asleep;
  stranger.why = SCAN_WHY_CALL;
  EXPECT_EQ(blocked_state(in_d(), none), BlockedState::blocked);
  EXPECT_EQ(blocked_state(killable, none), BlockedState::killable);
  EXPECT_EQ(blocked_state(asleep, none), BlockedState::asleep);
  EXPECT_EQ(blocked_state(stranger, none), BlockedState::none);
  auto table = std::make_unique<BlockedTaskTable>();
  BlockedView view;
  for (std::uint64_t second = 1; second <= 3; ++second) {
    table->begin_scan(second * kSecond);
    table->saw(7, 5, 1, BlockedState::blocked);
    table->saw(8, 5, 1, BlockedState::killable);
    table->saw(9, 5, 1, BlockedState::asleep);
    view = table->finish_scan(kSecond);
  }
  EXPECT_EQ(view.blocked, 2U);
  EXPECT_EQ(view.killable, 1U);
  EXPECT_EQ(view.asleep, 1U);
  EXPECT_NE(view.first_tid, 9U);
}

TEST(BlockedTasks, FrozenStoppedTracedAndIdleTasksAreNotBlocked) {
  const QuietFunctions none;
  EXPECT_TRUE(is_blocked(in_d(), none));
  for (const std::uint32_t state : {0x0U, 0x1U, 0x4U, 0x8U, 0x402U, 0x8000U, 0x8002U}) {
    ScanTask task = in_d();
    task.state = state;
    EXPECT_FALSE(is_blocked(task, none)) << std::hex << state;
  }
  ScanTask frozen = in_d();  // before 6.1
  frozen.flags = 0x10000;
  EXPECT_FALSE(is_blocked(frozen, none));
  frozen.flags |= 0x200000;  // of a kernel thread the bit means something else
  EXPECT_TRUE(is_blocked(frozen, none));
}

TEST(BlockedTasks, ParentOfAVforkIsNotBlocked) {
  const FakeTree tree;
  tree.put("kallsyms", "ffffffff81000000 T kernel_clone\nffffffff81000200 T something_else\n");
  QuietFunctions quiet;
  quiet.open(tree.root() + "/kallsyms");
  EXPECT_FALSE(is_blocked(in_d(), quiet));
  // One that waits for a lock below it is.
  ScanTask deeper = in_d();
  deeper.frames[0] = 0xffffffff81000300;
  deeper.frames[1] = 0xffffffff81000100;
  EXPECT_TRUE(is_blocked(deeper, quiet));
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
    for (std::uint32_t tid = 1; tid <= 10000; ++tid) table->saw(tid, tid % 2 == 0 ? 1 : now, 1);
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
