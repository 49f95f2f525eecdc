// SPDX-License-Identifier: Apache-2.0
// A machine that was suspended: the clock by which everything is judged stood meanwhile, so nothing
// looks late. It is told as a gap all the same, and the stamps that people read go on rightly.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "harness/base/rfc3339.h"
#include "harness/run/observer_report.h"
#include "harness/run/watchdog.h"

namespace stallproof {
namespace {

Nanos suspended_for = 0;
Nanos told_suspended() { return suspended_for; }

class Suspended : public testing::Test {
 protected:
  void SetUp() override {
    suspended_for = 5 * kSecond;  // before the run: nothing of it
    const Board::LoadSpec spec{"load", 1};
    board_ = std::move(*Board::create(std::span(&spec, 1), 1));
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_), 0);
    WatchdogOptions options{.channel_fd = ends_[1], .suspended_ns = told_suspended};
    watchdog_ = std::make_unique<Watchdog>(
        std::make_unique<BoardSource>(*Board::attach(board_.fd(), false)),
        *Evidence::attach(evidence_.fd()), options);
    watchdog_->tick_once();
  }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  std::vector<WatchEvent> events() const {
    std::vector<WatchEvent> found;
    WatchEvent event{};
    while (::recv(ends_[0], &event, sizeof event, MSG_DONTWAIT) == sizeof event)
      found.push_back(event);
    return found;
  }
  [[nodiscard]] const WatchdogHealth& health() const { return evidence_.area().health; }

  Evidence evidence_ = std::move(*Evidence::create());
  Board board_;
  int ends_[2] = {-1, -1};
  std::unique_ptr<Watchdog> watchdog_;
};

TEST_F(Suspended, BeforeTheRunIsNoGap) {
  watchdog_->tick_once();
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(health().gaps.load(), 0U);
}

TEST_F(Suspended, InTheRunIsAGapAndNoTimeThatWasWatched) {
  suspended_for += 3 * 3600 * kSecond;
  watchdog_->tick_once();
  const auto told = events();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, WatchEventKind::gap);
  EXPECT_EQ(told[0].suspended_ns, 3 * 3600 * kSecond);
  EXPECT_EQ(health().gaps.load(), 1U);
  EXPECT_EQ(health().suspended_ns.load(), 3 * 3600 * kSecond);
  EXPECT_LT(health().gap_ns.load(), kSecond);
  watchdog_->tick_once();
  EXPECT_TRUE(events().empty());
}

TEST_F(Suspended, AMomentBetweenTwoClocksIsNone) {
  suspended_for += 20 * kMillisecond;
  watchdog_->tick_once();
  EXPECT_TRUE(events().empty());
}

TEST(RunClock, StampsBehindASuspendAreThoseOfTheWall) {
  RunClock clock{.monotonic_ns = 100 * kSecond, .realtime_ns = 1'780'000'000 * kSecond};
  const auto wall = [&clock](Nanos at) { return parse_rfc3339(clock.wall_clock(at))->unix_ms; };
  WatchEvent gap{};
  gap.at_ns = 150 * kSecond;
  gap.suspended_ns = 7200 * kSecond;
  EXPECT_EQ(take_gap(gap, clock), "the machine was suspended for 120.0 min");
  EXPECT_EQ(wall(140 * kSecond), 1'780'000'040'000);
  EXPECT_EQ(wall(160 * kSecond), 1'780'007'260'000);
  EXPECT_EQ(clock.ms(160 * kSecond), 60'000);
}

// The wall clock is read once: who sets it in mid-run changes no time of the run.
TEST(RunClock, AClockThatIsSetInMidRunChangesNothing) {
  const RunClock clock{.monotonic_ns = 100 * kSecond, .realtime_ns = 1'780'000'000 * kSecond};
  EXPECT_EQ(parse_rfc3339(clock.wall_clock(101 * kSecond))->unix_ms -
                parse_rfc3339(clock.wall_clock(100 * kSecond))->unix_ms,
            1000);
  WatchEvent late{};
  late.at_ns = 150 * kSecond;
  RunClock same = clock;
  EXPECT_EQ(take_gap(late, same), "the watchdog was not run for a while");
  EXPECT_EQ(same.wall_clock(160 * kSecond), clock.wall_clock(160 * kSecond));
}

}  // namespace
}  // namespace stallproof
