// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/no_progress.h"

#include <gtest/gtest.h>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

constexpr Thresholds kThresholds{.stall_after = kSecond, .fail_after = 3 * kSecond};

TEST(NoProgress, FoundOnceStallAfterHasPassed) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(10 * kSecond).at(11 * kSecond);
  detector.check(build.view, found);
  ASSERT_EQ(count_of(found, FindingKind::no_progress), 1U);
  EXPECT_EQ(found.items()[0].since_ns, 10 * kSecond);
  EXPECT_EQ(found.items()[0].tid, 42U);
}

TEST(NoProgress, QuietJustBelowTheThreshold) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(10 * kSecond).at(11 * kSecond - 1);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(NoProgress, EachLoadIsJudgedByItsOwnThresholds) {
  const Thresholds patient{.stall_after = 5 * kSecond, .fail_after = 9 * kSecond};
  NoProgress detector(LoadThresholds(kThresholds, {{.load = 0, .thresholds = patient}}));
  FindingList found;
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(10 * kSecond).at(12 * kSecond);
  build.view.loads[1] = build.view.loads[0];
  build.view.load_count = 2;
  detector.check(build.view, found);
  ASSERT_EQ(found.items().size(), 1U);
  EXPECT_EQ(found.items()[0].load, 1U);
  EXPECT_EQ(detector.next_due_ns(build.view), 15 * kSecond);
}

// One op since 10 s; at `now` a scan of 200 ms ago found `waiting` threads queued for a CPU.
FindingList found_while_queued(Nanos now, std::uint32_t waiting) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(10 * kSecond).at(now);
  build.view.queued = {.scanned_ns = now - 200 * kMillisecond, .waiting = waiting};
  detector.check(build.view, found);
  return found;
}

TEST(NoProgress, WaitingForACpuEarnsPatience) {
  EXPECT_TRUE(found_while_queued(13 * kSecond - 1, 1).items().empty());
  EXPECT_EQ(found_while_queued(13 * kSecond - 1, 0).items().size(), 1U);
}

TEST(NoProgress, PatienceEnds) {
  EXPECT_EQ(found_while_queued(13 * kSecond, 5).items().size(), 1U);
}

TEST(NoProgress, WhatAnOldScanSaidEarnsNone) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(10 * kSecond).at(11 * kSecond);
  build.view.queued = {.scanned_ns = 10 * kSecond, .waiting = 5};
  EXPECT_EQ(detector.next_due_ns(build.view), ~Nanos{0});
  detector.check(build.view, found);
  EXPECT_EQ(found.items().size(), 1U);
}

TEST(NoProgress, QuietWhileOthersComplete) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.in_flight_since(10 * kSecond, 4).done(19 * kSecond).at(19 * kSecond + kMillisecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(NoProgress, IdleLoadIsNoStall) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(kSecond).idle().at(100 * kSecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(NoProgress, FirstOpAfterALongIdleTimeIsNoStall) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(kSecond).in_flight_since(100 * kSecond).at(100 * kSecond + kMillisecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(NoProgress, ObserverGapIsNeverAStall) {
  NoProgress detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.done(kSecond).in_flight_since(kSecond).at(100 * kSecond);
  build.view.after_gap = true;
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(NoProgress, NextDueIsOnsetPlusStallAfter) {
  NoProgress detector(kThresholds);
  ViewBuilder build;
  build.done(10 * kSecond).in_flight_since(9 * kSecond).at(10 * kSecond + 1);
  EXPECT_EQ(detector.next_due_ns(build.view), 11 * kSecond);
  build.idle();
  EXPECT_EQ(detector.next_due_ns(build.view), ~Nanos{0});
}

TEST(StuckOp, FoundWhileOthersComplete) {
  StuckOp detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.in_flight_since(10 * kSecond, 4).done(13 * kSecond).at(13 * kSecond);
  detector.check(build.view, found);
  EXPECT_EQ(count_of(found, FindingKind::stuck_op), 1U);
}

TEST(StuckOp, QuietBeforeFailAfterAndWhenNothingMoves) {
  StuckOp detector(kThresholds);
  FindingList found;
  ViewBuilder build;
  build.in_flight_since(10 * kSecond, 4).done(12 * kSecond).at(13 * kSecond - 1);
  detector.check(build.view, found);
  build.at(20 * kSecond);  // nothing moves any more: that is no-progress, not a stuck op
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

}  // namespace
}  // namespace stallproof
