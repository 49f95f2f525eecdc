// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "harness/run/canary_plan.h"
#include "harness/run/canary_rounds.h"
#include "harness/run/progress_source.h"

namespace stallproof {
namespace {

TEST(CanaryPlan, MachineThatWouldCrashWithinSecondsIsLeftAlone) {
  EXPECT_TRUE(canary_is_safe(0, 1));
  EXPECT_TRUE(canary_is_safe(1, 0));
  EXPECT_TRUE(canary_is_safe(1, 120));
  EXPECT_TRUE(canary_is_safe(1, 10));
  const auto refused = canary_is_safe(1, 9);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("hung_task_panic"), std::string::npos);
}

TEST(CanaryPlan, ItIsJudgedAsTheRunIsButLivesForSecondsOnly) {
  const Thresholds run{.stall_after = 700 * kMillisecond, .fail_after = 9 * kSecond};
  EXPECT_EQ(canary_thresholds(run).stall_after, run.stall_after);
  EXPECT_EQ(canary_thresholds({.stall_after = 30 * kSecond}).stall_after, 2 * kSecond);
  LabPlan lab;
  lab.loads = {{"a", 1}, {"b", 2}};
  const auto own = canary_thresholds(run, 5, lab);
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[1].load, 6U);
}

TEST(CanaryRounds, OneThatPassedLeavesNoDoubt) {
  CanaryEntry entry{.passed = true};
  entry.looks["before"].passed = true;
  EXPECT_TRUE(why_unproven(entry).empty());
}

TEST(CanaryRounds, EachThatWasMissedIsADoubt) {
  CanaryEntry entry{.problem = "before the load it was not detected"};
  entry.looks["before"].why = "it was not detected";
  entry.looks["after"].passed = true;
  EXPECT_EQ(why_unproven(entry), std::vector<std::string>{"before the load it was not detected"});
}

TEST(CanaryRounds, OneThatCouldNotBeMadeIsADoubtToo) {
  const auto why = why_unproven({.problem = "not made: not root"});
  ASSERT_EQ(why.size(), 1U);
  EXPECT_NE(why.front().find("not made: not root"), std::string::npos);
}

TEST(BoardSource, LoadsOfTheCanaryComeBehindThoseOfTheRun) {
  const std::array first{Board::LoadSpec{"a", 1}, Board::LoadSpec{"b", 2}};
  const std::array second{Board::LoadSpec{"c", 1}};
  auto run = Board::create(first, 1);
  auto canary = Board::create(second, 1);
  ASSERT_TRUE(run && canary);
  auto own = Board::attach(canary->fd(), true);
  ASSERT_TRUE(own);
  own->slots()[0].op_started_ns.store(7);
  own->slots()[0].ops.store(3);
  BoardSource source(std::move(*run), std::move(*canary));
  EXPECT_EQ(source.canary_loads(), 0b100U);
  SystemView view;
  view.now_ns = 9;
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  source.read(view, evidence->area());
  EXPECT_EQ(view.load_count, 3U);
  EXPECT_EQ(view.loads[2].in_flight, 1U);
  EXPECT_EQ(view.loads[2].ops, 3U);
  own->clear();
  source.read(view, evidence->area());
  EXPECT_EQ(view.loads[2].in_flight, 0U);
  EXPECT_EQ(view.loads[2].ops, 0U);
}

TEST(BoardSource, WithoutACanaryNoLoadIsOne) {
  const std::array loads{Board::LoadSpec{"a", 1}};
  auto board = Board::create(loads, 1);
  ASSERT_TRUE(board);
  EXPECT_EQ(BoardSource(std::move(*board)).canary_loads(), 0U);
}

}  // namespace
}  // namespace stallproof
