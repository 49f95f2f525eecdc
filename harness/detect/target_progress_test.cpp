// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/target_progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "harness/detect/no_progress.h"

namespace stallproof {
namespace {

constexpr Nanos kTick = 100 * kMillisecond;
constexpr Nanos kStart = 1000 * kSecond;

// A process of fake threads that is sampled every tick, and the detector that judges it.
class Target {
 public:
  std::vector<ThreadSample> threads;

  ThreadSample& add(std::int32_t tid, bool file_work = true) {
    threads.push_back({.tid = tid, .tgid = 100, .start = 1, .file_work = file_work});
    return threads.back();
  }
  // Every thread works: it completes `calls` and is switched once.
  void work(std::uint64_t calls) {
    for (ThreadSample& thread : threads) advance(thread, calls);
  }
  void advance(ThreadSample& thread, std::uint64_t calls) {
    thread.completed += calls;
    ++thread.switches;
    thread.ran_ns = now_ + kTick;
    thread.wait = ThreadWait::none;
  }
  void sleep_in_file_system(ThreadSample& thread, Nanos since) {
    thread.wait = ThreadWait::file_system;
    thread.ran_ns = since;
    ++thread.switches;
  }
  void tick() {
    now_ += kTick;
    view_.now_ns = now_;
    progress_.update(threads, view_);
    findings_.clear();
    detector_.check(view_, findings_);
    if (!findings_.items().empty() && found_at_ == 0) found_at_ = now_;
  }
  void ticks(
      int count, const std::function<void()>& before = [] {}) {
    for (int i = 0; i < count; ++i) {
      before();
      tick();
    }
  }
  [[nodiscard]] bool stalled() const { return found_at_ != 0; }
  [[nodiscard]] bool suspected() const {
    const auto loads = progress_.loads();
    return std::any_of(loads.begin(), loads.end(),
                       [](const TargetLoad& load) { return load.suspected_since_ns != 0; });
  }
  [[nodiscard]] Nanos now() const { return now_; }
  [[nodiscard]] Nanos found_at() const { return found_at_; }
  [[nodiscard]] const FindingList& findings() const { return findings_; }
  [[nodiscard]] const TargetProgress& progress() const { return progress_; }
  [[nodiscard]] const SystemView& view() const { return view_; }

 private:
  TargetProgress progress_{kSecond};
  NoProgress detector_{Thresholds{}};
  FindingList findings_;
  SystemView view_;
  Nanos now_ = kStart;
  Nanos found_at_ = 0;
};

TEST(TargetProgress, LoadWhoseThreadsAllSleepInTheFileSystemStalls) {
  Target target;
  target.add(101), target.add(102);
  target.ticks(30, [&] { target.work(50); });
  const Nanos onset = target.now() + 20 * kMillisecond;
  for (ThreadSample& thread : target.threads) target.sleep_in_file_system(thread, onset);
  target.ticks(13);
  ASSERT_TRUE(target.stalled());
  EXPECT_GE(target.found_at(), onset + kSecond);
  EXPECT_LE(target.found_at(), onset + kSecond + 2 * kTick);
  EXPECT_EQ(target.findings().items()[0].since_ns, onset);
  EXPECT_FALSE(target.suspected());
}

TEST(TargetProgress, ThreadsThatSleepElsewhereDoNotStall) {
  Target target;
  target.add(101), target.add(102);
  target.ticks(30, [&] { target.work(50); });
  target.ticks(50);
  EXPECT_FALSE(target.stalled());
  EXPECT_TRUE(target.suspected());
}

// A mapped file that is all in memory: no call, no major fault, and nothing to wait for.
TEST(TargetProgress, ThreadThatComputesIsNotSuspected) {
  Target target;
  target.add(101);
  target.ticks(30, [&] { target.work(50); });
  target.ticks(50, [&] { target.threads[0].user_ns += kTick / 8; });
  EXPECT_FALSE(target.suspected());
}

TEST(TargetProgress, ThreadThatPollsNowAndThenIsSuspected) {
  Target target;
  target.add(101);
  target.ticks(30, [&] { target.work(50); });
  target.ticks(15, [&] { target.threads[0].user_ns += kTick / 100; });
  EXPECT_TRUE(target.suspected());
}

TEST(TargetProgress, ThreadOfNoFileWorkThatComputesHidesNothing) {
  Target target;
  target.add(101), target.add(102, false).other_work = true;
  target.ticks(30, [&] { target.advance(target.threads[0], 50); });
  target.ticks(50, [&] { target.threads[1].user_ns += kTick; });
  EXPECT_TRUE(target.suspected());
}

TEST(TargetProgress, OneThreadThatWorksKeepsTheLoadFromStalling) {
  Target target;
  target.add(101), target.add(102);
  target.ticks(30, [&] { target.work(50); });
  target.sleep_in_file_system(target.threads[0], target.now());
  target.ticks(40, [&] { target.advance(target.threads[1], 50); });
  EXPECT_FALSE(target.stalled());
  EXPECT_NE(target.progress().loads()[0].blocked_since_ns, 0U);
  EXPECT_EQ(target.view().blocked.blocked, 1U);
}

TEST(TargetProgress, LoggerBesideTheLoadHidesNothing) {
  Target target;
  target.add(101), target.add(102), target.add(103);
  target.ticks(100, [&] {
    target.advance(target.threads[0], 500);
    target.advance(target.threads[1], 500);
    target.advance(target.threads[2], 1);
  });
  target.sleep_in_file_system(target.threads[0], target.now());
  target.sleep_in_file_system(target.threads[1], target.now());
  target.ticks(20, [&] { target.advance(target.threads[2], 1); });
  EXPECT_TRUE(target.stalled());
}

TEST(TargetProgress, SleepsThatChangeAreNoStall) {
  Target target;
  target.add(101);
  target.ticks(100, [&] { target.sleep_in_file_system(target.threads[0], target.now() + 1); });
  EXPECT_FALSE(target.stalled());
}

TEST(TargetProgress, StoppedAndFrozenAreNeitherStalledNorSuspected) {
  Target target;
  target.add(101);
  target.ticks(50, [&] { target.work(9); });
  target.threads[0].wait = ThreadWait::excluded;
  target.ticks(50);
  EXPECT_FALSE(target.stalled());
  EXPECT_FALSE(target.suspected());
}

TEST(TargetProgress, ProcessThatNeverTouchedAFileIsNoLoad) {
  Target target;
  target.add(101, false).other_work = true;
  target.ticks(50, [&] { target.work(9); });
  EXPECT_TRUE(target.progress().loads().empty());
}

TEST(TargetProgress, RareShortCallsCountThoughNeverSeen) {
  Target target;
  target.add(101, false);
  target.ticks(50, [&] { target.work(1); });
  ASSERT_EQ(target.progress().loads().size(), 1U);
  EXPECT_EQ(target.progress().loads()[0].ops, 49U);
  target.ticks(50);
  EXPECT_FALSE(target.suspected());
}

TEST(TargetProgress, RareRewakeAtTheSamePlaceIsTheSameSleep) {
  Target target;
  target.add(101);
  target.ticks(20, [&] { target.work(9); });
  const Nanos onset = target.now();
  target.sleep_in_file_system(target.threads[0], onset);
  target.ticks(300);
  ++target.threads[0].switches;
  target.threads[0].ran_ns = target.now();
  target.ticks(5);
  EXPECT_EQ(target.view().loads[0].oldest_op_started_ns, onset);
  target.threads[0].place = 7;
  ++target.threads[0].switches;
  target.threads[0].ran_ns = target.now();
  target.ticks(5);
  EXPECT_GT(target.view().loads[0].oldest_op_started_ns, onset);
}

TEST(TargetProgress, ReusedThreadNumberIsAnotherThread) {
  Target target;
  target.add(101).completed = 1'000'000;
  target.ticks(5, [&] { target.work(1); });
  target.threads[0] = ThreadSample{.tid = 101, .tgid = 100, .start = 2, .file_work = true};
  target.ticks(5, [&] { target.work(1); });
  EXPECT_LT(target.progress().loads()[0].ops, 20U);
}

TEST(TargetProgress, EndedProcessNoLongerStandsStill) {
  Target target;
  target.add(101);
  target.ticks(20, [&] { target.work(9); });
  target.sleep_in_file_system(target.threads[0], target.now());
  target.ticks(20);
  EXPECT_TRUE(target.stalled());
  target.threads.clear();
  target.ticks(2);
  EXPECT_TRUE(target.findings().items().empty());
  EXPECT_EQ(target.view().loads[0].last_done_ns, target.now());
}

TEST(TargetProgress, MoreProcessesThanRoomShareTheLastLoad) {
  Target target;
  for (std::int32_t i = 0; i < 40; ++i) {
    target.add(1000 + i).tgid = 1000 + i;
  }
  target.ticks(3, [&] { target.work(1); });
  EXPECT_EQ(target.progress().loads().size(), kMaxLoads);
  EXPECT_EQ(target.progress().loads().back().tgid, -1);
  EXPECT_EQ(target.progress().overflow(), 0U);
}

// A thousand threads born a second for minutes: the table forgets the dead.
// Threads of three processes: one of the target, two of a canary.
std::vector<ThreadSample> beside_a_canary() {
  return {{.tid = 101, .tgid = 100, .start = 1, .file_work = true},
          {.tid = 201, .tgid = 200, .start = 1, .file_work = true},
          {.tid = 301, .tgid = 300, .start = 1, .file_work = true}};
}

TEST(TargetProgress, CanarysProcessesShareARowOfTheirOwn) {
  TargetProgress progress(kSecond, kSecond / 2);
  progress.set_canary(std::array<std::int32_t, 2>{200, 300});
  SystemView view;
  view.now_ns = kStart;
  std::vector<ThreadSample> threads = beside_a_canary();
  progress.update(threads, view);
  for (ThreadSample& thread : threads)
    if (thread.tgid != 100) thread.wait = ThreadWait::file_system;
  for (int i = 0; i < 20; ++i) {
    view.now_ns += kTick;
    ++threads[0].completed, ++threads[0].switches;
    progress.update(threads, view);
  }
  ASSERT_EQ(view.load_count, kCanaryRow + 1);
  EXPECT_EQ(view.loads[0].in_flight, 0U);
  EXPECT_EQ(view.loads[1].in_flight, 0U);
  EXPECT_EQ(view.loads[kCanaryRow].in_flight, 2U);
  ASSERT_EQ(progress.loads().size(), 1U);
  EXPECT_EQ(progress.loads()[0].tgid, 100);
}

TEST(TargetProgress, CanaryThatHasEndedNoLongerStandsStill) {
  TargetProgress progress(kSecond, kSecond);
  progress.set_canary(std::array<std::int32_t, 2>{200, 300});
  SystemView view;
  view.now_ns = kStart;
  std::vector<ThreadSample> threads = beside_a_canary();
  for (int i = 0; i < 20; ++i, view.now_ns += kTick) {
    progress.update(threads, view);
    for (ThreadSample& thread : threads) thread.wait = ThreadWait::file_system;
  }
  EXPECT_GT(view.loads[kCanaryRow].in_flight, 0U);
  threads.resize(1);
  progress.set_canary({});
  progress.update(threads, view);
  EXPECT_EQ(view.loads[kCanaryRow].in_flight, 0U);
  EXPECT_EQ(view.loads[0].in_flight, 1U);
}

TEST(TargetProgress, WithoutACanaryTheLastRowIsTheTargets) {
  TargetProgress progress(kSecond);
  progress.set_canary(std::array<std::int32_t, 2>{200, 300});
  SystemView view;
  view.now_ns = kStart;
  progress.update(beside_a_canary(), view);
  EXPECT_EQ(view.load_count, 3U);
}

TEST(TargetProgress, ThreadChurnDoesNotFillTheTable) {
  Target target;
  for (int second = 0; second < 400; ++second) {
    target.threads.clear();
    for (int i = 0; i < 1000; ++i) target.add(1 + (second * 1000 + i) % 4'000'000);
    target.tick();
  }
  EXPECT_EQ(target.progress().overflow(), 0U);
}

}  // namespace
}  // namespace stallproof
