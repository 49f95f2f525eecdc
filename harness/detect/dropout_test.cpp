// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/dropout.h"

#include <gtest/gtest.h>

#include <memory>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

class DropoutTest : public testing::Test {
 protected:
  // Runs the load for `span` at `ops` completions per 100 ms.
  void run(Nanos span, std::uint64_t ops) {
    for (const Nanos end = now_ + span; now_ < end;) {
      now_ += Dropout::kBucket;
      build_.at(now_);
      if (ops > 0) build_.done(now_, ops);
      detector_->check(build_.view, found_);
    }
  }
  std::unique_ptr<Dropout> detector_ = std::make_unique<Dropout>(Thresholds{});
  FindingList found_;
  ViewBuilder build_;
  Nanos now_ = kSecond;
};

TEST_F(DropoutTest, FullStopIsReportedAfterTwoSecondsAndEndsWithTheLoad) {
  build_.in_flight_since(1);
  run(2 * kSecond, 100);
  const Nanos stopped = now_;
  run(1900 * kMillisecond, 0);
  EXPECT_EQ(count_of(found_, FindingKind::dropout_begin), 0U);
  run(200 * kMillisecond, 0);
  ASSERT_EQ(count_of(found_, FindingKind::dropout_begin), 1U);
  EXPECT_EQ(found_.items()[0].since_ns, stopped);
  run(3 * kSecond, 100);
  ASSERT_EQ(count_of(found_, FindingKind::dropout_end), 1U);
  EXPECT_EQ(found_.items()[1].since_ns, stopped);
}

TEST_F(DropoutTest, SteadyLoadIsQuiet) {
  build_.in_flight_since(1);
  run(60 * kSecond, 100);
  EXPECT_TRUE(found_.items().empty());
}

TEST_F(DropoutTest, HalfTheThroughputIsNoDropout) {
  build_.in_flight_since(1);
  run(5 * kSecond, 100);
  run(10 * kSecond, 50);
  EXPECT_TRUE(found_.items().empty());
}

TEST_F(DropoutTest, ShortDipIsNoDropout) {
  build_.in_flight_since(1);
  run(5 * kSecond, 100);
  run(1500 * kMillisecond, 0);
  run(5 * kSecond, 100);
  EXPECT_TRUE(found_.items().empty());
}

TEST_F(DropoutTest, PauseWithNothingInFlightIsNoDropout) {
  build_.in_flight_since(1);
  run(5 * kSecond, 100);
  build_.idle();
  run(10 * kSecond, 0);
  EXPECT_TRUE(found_.items().empty());
}

TEST_F(DropoutTest, LongDropoutNeverBecomesTheNewNormal) {
  build_.in_flight_since(1);
  run(5 * kSecond, 100);
  run(120 * kSecond, 1);
  EXPECT_EQ(count_of(found_, FindingKind::dropout_begin), 1U);
  EXPECT_EQ(count_of(found_, FindingKind::dropout_end), 0U);
}

TEST_F(DropoutTest, NothingIsBelievedWithoutHistory) {
  build_.in_flight_since(1);
  run(500 * kMillisecond, 100);
  run(10 * kSecond, 0);
  EXPECT_TRUE(found_.items().empty());
}

TEST_F(DropoutTest, EndingTheLoadClosesAnOpenDropout) {
  build_.in_flight_since(1);
  run(2 * kSecond, 100);
  run(3 * kSecond, 0);
  detector_->close_all(now_, found_);
  EXPECT_EQ(count_of(found_, FindingKind::dropout_end), 1U);
}

}  // namespace
}  // namespace stallproof
