// SPDX-License-Identifier: Apache-2.0
// The loads that stall by themselves: healthy until armed, then nothing completes, and all threads
// come back when it is over.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <thread>
#include <vector>

#include "workloads/testing/load_rig.h"
#include "workloads/victim/futex_mutex.h"
#include "workloads/victim/short_child.h"
#include "workloads/victim/uffd_region.h"

namespace stallproof {
namespace {

constexpr int kStandMs = 60;
constexpr int kSettleMs = 100;

void arm(LoadRig& rig) { rig.board().header().service.armed_ns.store(monotonic_now()); }

// Ops of the threads that wait, long after it was armed: thread 0 may be outside of any op.
void expect_standstill(LoadRig& rig) {
  ASSERT_TRUE(rig.until_ops(20));
  arm(rig);
  ::poll(nullptr, 0, kSettleMs);
  const std::uint64_t before = rig.totals().ops;
  ::poll(nullptr, 0, kStandMs);
  EXPECT_EQ(rig.totals().ops, before);
  unsigned in_flight = 0;
  for (const BoardSlot& slot : rig.board().slots())
    if (slot.op_started_ns.load() != 0) ++in_flight;
  EXPECT_GE(in_flight + 1, rig.board().slots().size());
}

TEST(FutexMutex, GuardsACounterOfManyThreads) {
  FutexMutex mutex;
  std::uint64_t counter = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 2000; ++turn) {
        mutex.lock();
        counter = counter + 1;
        mutex.unlock();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 8000U);
}

TEST(FutexMutex, WaitIsGivenUpWhenAsked) {
  FutexMutex mutex;
  mutex.lock();
  EXPECT_FALSE(mutex.lock_unless([] { return true; }, nullptr));
  mutex.unlock();
  EXPECT_TRUE(mutex.lock_unless([] { return true; }, nullptr));
}

TEST(FutexLock, KeptLockStopsEverybodyUntilTheEnd) {
  LoadRig rig("futex-lock", 4, "");
  ASSERT_TRUE(rig.prepare({}));
  rig.start();
  expect_standstill(rig);
  EXPECT_EQ(rig.stop().errors, 0U);
}

TEST(FutexLock, CrosswiseLocksStopEverybodyUntilTheEnd) {
  LoadRig rig("futex-lock", 4, "");
  ASSERT_TRUE(rig.prepare({"lock-armed=crosswise"}));
  rig.start();
  expect_standstill(rig);
}

TEST(FutexLock, LockKeptForAWhileIsGivenBack) {
  LoadRig rig("futex-lock", 4, "");
  ASSERT_TRUE(rig.prepare({"lock-lasts=20ms"}));
  rig.start();
  arm(rig);
  ::poll(nullptr, 0, kSettleMs);
  EXPECT_TRUE(rig.until_ops(20));
}

TEST(FutexLock, ImpossibleSettingsAreRefusedByName) {
  for (const char* word : {"lock-armed=open", "lock-lasts=soon"}) {
    const auto prepared = LoadRig("futex-lock", 4, "").prepare({word});
    ASSERT_FALSE(prepared) << word;
    EXPECT_NE(prepared.error().what.find("lock-"), std::string::npos) << prepared.error().what;
  }
  EXPECT_FALSE(LoadRig("futex-lock", 1, "").prepare({"lock-armed=crosswise"}));
}

TEST(UffdTouch, EveryPageComesFromTheThreadThatAnswers) {
  if (const auto reason = UffdRegion::unsupported()) GTEST_SKIP() << *reason;
  LoadRig rig("uffd-touch", 4, "");
  ASSERT_TRUE(rig.prepare({}));
  rig.start();
  ASSERT_TRUE(rig.until_ops(200));
  const LoadTotals totals = rig.stop();
  EXPECT_EQ(totals.mismatches, 0U);
  EXPECT_GT(rig.board().slots()[0].ops.load(), 0U);
}

TEST(UffdTouch, UnansweredFaultsStopEverybodyUntilTheEnd) {
  if (const auto reason = UffdRegion::unsupported()) GTEST_SKIP() << *reason;
  LoadRig rig("uffd-touch", 4, "");
  ASSERT_TRUE(rig.prepare({}));
  rig.start();
  expect_standstill(rig);
  EXPECT_EQ(rig.stop().mismatches, 0U);
}

TEST(UffdTouch, NeedsThreeThreads) {
  if (const auto reason = UffdRegion::unsupported()) GTEST_SKIP() << *reason;
  EXPECT_FALSE(LoadRig("uffd-touch", 2, "").prepare({}));
}

TEST(VforkWait, ParentWaitsForItsChild) {
  LoadRig rig("vfork-wait", 2, "");
  ASSERT_TRUE(rig.prepare({"vfork-sleep=5ms"}));
  rig.start();
  ASSERT_TRUE(rig.until_ops(4));
  EXPECT_EQ(rig.stop().errors, 0U);
}

TEST(ShortChild, SleepsEndsAndIsGone) {
  const Nanos began = monotonic_now();
  const pid_t pid = start_short_child({.name = "short", .sleep = 20 * kMillisecond});
  ASSERT_GT(pid, 0);
  EXPECT_GE(monotonic_now() - began, 20 * kMillisecond);
  EXPECT_EQ(wait_for_end(pid), 0);
  EXPECT_EQ(wait_for_end(pid), std::nullopt);
}

TEST(ExecChurn, FileThatIsNotThereIsNamed) {
  const auto prepared = LoadRig("exec-churn", 1, "/nonexistent/file").prepare({});
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().what.find("/nonexistent/file"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
