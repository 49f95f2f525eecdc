// SPDX-License-Identifier: Apache-2.0
// Loads that a rule about throughput may mistake for a dropout, simulated: arrivals by a clock, by
// chance and in bursts, pauses, ramps, few long ops. Time is made here, nothing waits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "harness/detect/dropout.h"
#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

using Draw = std::function<Nanos()>;

// An open loop: ops arrive by themselves and each takes its time, as many at once as need be.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed = 1) : random_(seed) {}

  // Ops until `end`: the next one so much later, each taking so long.
  void arrivals(Nanos end, const Draw& gap, const Draw& service) {
    for (Nanos at = arrived_ + gap(); at < end; at += gap()) {
      arrived_ = at;
      begins_.push_back(at);
      ends_.push_back(at + service());
    }
    arrived_ = std::max(arrived_, end);
  }
  // A closed loop of so many threads until `end`.
  void threads(std::size_t count, Nanos end, const Draw& service) {
    const Nanos begin = arrived_;
    for (std::size_t i = 0; i < count; ++i)
      for (Nanos at = begin; at < end;) {
        begins_.push_back(at);
        ends_.push_back(at += service());
      }
    arrived_ = end;
  }
  void pause(Nanos span) { arrived_ += span; }

  Draw every(Nanos span) const {
    return [span] { return span; };
  }
  Draw at_random(Nanos mean) {
    return [this, mean] {
      return static_cast<Nanos>(std::exponential_distribution<double>()(random_) *
                                static_cast<double>(mean)) +
             1;
    };
  }

  // Dropouts that the detector reports over all of it.
  std::size_t dropouts() {
    std::sort(begins_.begin(), begins_.end());
    std::sort(ends_.begin(), ends_.end());
    Dropout detector{Thresholds{}};
    FindingList found;
    ViewBuilder build;
    std::size_t begun = 0, ended = 0, reported = 0;
    for (Nanos now = kStart; now < arrived_; now += Dropout::kBucket) {
      const std::size_t before = ended;
      while (begun < begins_.size() && begins_[begun] <= now) ++begun;
      while (ended < ends_.size() && ends_[ended] <= now) ++ended;
      if (ended > before) build.done(ends_[ended - 1], ended - before);
      build.idle();
      if (begun > ended) build.in_flight_since(now, static_cast<std::uint32_t>(begun - ended));
      build.at(now);
      detector.check(build.view, found);
      reported += count_of(found, FindingKind::dropout_begin);
      found.clear();
    }
    return reported;
  }
  [[nodiscard]] Nanos now() const { return arrived_; }

 private:
  static constexpr Nanos kStart = kSecond;
  std::mt19937_64 random_;
  std::vector<Nanos> begins_, ends_;
  Nanos arrived_ = kStart;
};

TEST(DropoutArrivals, RatesByChanceAreQuiet) {
  for (const std::uint64_t per_second : {1U, 2U, 5U, 10U, 50U}) {
    for (const Nanos service : {kMillisecond, 400 * kMillisecond, 1500 * kMillisecond}) {
      Simulation load(per_second + service);
      load.arrivals(600 * kSecond, load.at_random(kSecond / per_second), load.at_random(service));
      EXPECT_EQ(load.dropouts(), 0U) << per_second << "/s, ops of " << service << " ns";
    }
  }
}

TEST(DropoutArrivals, RatesByTheClockAreQuiet) {
  for (const std::uint64_t per_second : {1U, 3U, 10U, 1000U}) {
    Simulation load;
    load.arrivals(300 * kSecond, load.every(kSecond / per_second), load.every(2 * kMillisecond));
    EXPECT_EQ(load.dropouts(), 0U) << per_second << "/s";
  }
}

TEST(DropoutArrivals, BurstsAreQuiet) {
  for (const Nanos quiet : {kSecond, 3 * kSecond, 10 * kSecond}) {
    Simulation load;
    for (int i = 0; i < 60; ++i) {
      load.arrivals(load.now() + 4 * kSecond, load.at_random(2 * kMillisecond),
                    load.at_random(kMillisecond));
      load.pause(quiet);
    }
    EXPECT_EQ(load.dropouts(), 0U) << quiet;
  }
}

// In a planned pause one op is still on its way, or a logger of the load goes on.
TEST(DropoutArrivals, StragglerInAPauseIsNoDropout) {
  Simulation load;
  for (int i = 0; i < 20; ++i) {
    load.threads(16, load.now() + 5 * kSecond, load.every(2 * kMillisecond));
    load.threads(1, load.now() + 5 * kSecond, load.every(5 * kSecond));
  }
  EXPECT_EQ(load.dropouts(), 0U);
}

TEST(DropoutArrivals, RateThatIsLoweredOnPurposeIsNoDropout) {
  Simulation load;
  load.threads(16, load.now() + 60 * kSecond, load.every(kMillisecond));
  load.arrivals(load.now() + 60 * kSecond, load.at_random(2 * kMillisecond),
                load.every(kMillisecond));
  EXPECT_EQ(load.dropouts(), 0U);
}

TEST(DropoutArrivals, RampsUpAndDownAreQuiet) {
  Simulation load;
  for (std::uint64_t step = 1; step <= 40; ++step)
    load.arrivals(load.now() + 2 * kSecond, load.at_random(kSecond / (step * 20)),
                  load.every(kMillisecond));
  for (std::uint64_t step = 40; step >= 1; --step)
    load.arrivals(load.now() + 2 * kSecond, load.at_random(kSecond / (step * 20)),
                  load.every(kMillisecond));
  EXPECT_EQ(load.dropouts(), 0U);
}

TEST(DropoutArrivals, FewLongOpsAreQuiet) {
  for (const Nanos service : {300 * kMillisecond, kSecond, 4 * kSecond}) {
    Simulation load(service);
    load.threads(2, 600 * kSecond, load.at_random(service));
    EXPECT_EQ(load.dropouts(), 0U) << service;
  }
}

TEST(DropoutArrivals, RealDropoutsOfTheSameLoadsAreFound) {
  Simulation closed;
  closed.threads(16, closed.now() + 30 * kSecond, closed.every(2 * kMillisecond));
  closed.threads(16, closed.now() + 5 * kSecond, closed.every(5 * kSecond));
  closed.threads(16, closed.now() + 10 * kSecond, closed.every(2 * kMillisecond));
  EXPECT_EQ(closed.dropouts(), 1U);
  // 50 a second by chance; then nothing ends for 5 s while more and more arrive.
  Simulation open;
  open.arrivals(open.now() + 60 * kSecond, open.at_random(20 * kMillisecond),
                open.every(5 * kMillisecond));
  const Nanos stuck = open.now() + 5 * kSecond;
  open.arrivals(stuck, open.at_random(20 * kMillisecond), open.every(5 * kSecond));
  open.arrivals(open.now() + 20 * kSecond, open.at_random(20 * kMillisecond),
                open.every(5 * kMillisecond));
  EXPECT_EQ(open.dropouts(), 1U);
}

}  // namespace
}  // namespace stallproof
