// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/cpu_queue.h"

#include <gtest/gtest.h>

#include <memory>

namespace stallproof {
namespace {

constexpr std::uint32_t kSleeping = 1;  // TASK_INTERRUPTIBLE

struct Times {
  Nanos ran = 0, waited = 0;
  std::uint64_t slept = 0;  // times
  std::uint32_t state = kSleeping;
  std::uint32_t why = SCAN_WHY_WATCHED;
  std::uint32_t facts = 0;
};

ScanTask task_of(const Times& times) {
  ScanTask task{};
  task.tid = 7;
  task.why = times.why;
  task.facts = times.facts;
  task.state = times.state;
  task.voluntary = 40 + times.slept;
  task.ran_ns = kSecond + times.ran;
  task.delay_ns = kSecond + times.waited;
  return task;
}

// Two scans, `apart`: in the first nothing of `later` has happened yet.
std::uint32_t waiting(const Times& later, Nanos apart = 200 * kMillisecond) {
  auto queue = std::make_unique<CpuQueue>();
  const Times first{.slept = 0, .state = later.state, .why = later.why, .facts = later.facts};
  queue->begin_scan(10 * kSecond);
  queue->saw(task_of(first));
  EXPECT_EQ(queue->finish_scan().waiting, 0U);
  queue->begin_scan(10 * kSecond + apart);
  queue->saw(task_of(later));
  EXPECT_EQ(queue->finish_scan().scanned_ns, 10 * kSecond + apart);
  return queue->finish_scan().waiting;
}

TEST(CpuQueue, WhoMostlyWaitedForACpuIsCounted) {
  EXPECT_EQ(waiting({.ran = 5 * kMillisecond, .waited = 120 * kMillisecond, .slept = 3}), 1U);
}

TEST(CpuQueue, WhoMostlySleptIsNot) {
  EXPECT_EQ(waiting({.ran = 5 * kMillisecond, .waited = 60 * kMillisecond, .slept = 3}), 0U);
}

TEST(CpuQueue, BlockedForGoodIsNot) { EXPECT_EQ(waiting({.state = 2}), 0U); }

TEST(CpuQueue, WhoRunsIsNot) {
  EXPECT_EQ(waiting({.ran = 190 * kMillisecond, .waited = 10 * kMillisecond, .state = 0}), 0U);
}

TEST(CpuQueue, ReadyAndNeverRunIsCounted) { EXPECT_EQ(waiting({.state = 0}), 1U); }

TEST(CpuQueue, ReadyOnlySinceAMomentIsNot) {
  EXPECT_EQ(waiting({.ran = kMillisecond, .slept = 2, .state = 0}), 0U);
}

TEST(CpuQueue, HeldByAQuotaIsNot) {
  EXPECT_EQ(waiting({.state = 0, .facts = SCAN_FACT_THROTTLED}), 0U);
}

TEST(CpuQueue, SomebodyElseIsNot) {
  EXPECT_EQ(waiting({.state = 0, .why = SCAN_WHY_BLOCKED}), 0U);
  EXPECT_EQ(waiting({.state = 0, .why = SCAN_WHY_SERVER}), 1U);
}

TEST(CpuQueue, ScansFarApartAreNotCompared) {
  EXPECT_EQ(waiting({.state = 0}, CpuQueue::kLongest), 1U);
  EXPECT_EQ(waiting({.state = 0}, CpuQueue::kLongest + 1), 0U);
  EXPECT_EQ(waiting({.state = 0}, CpuQueue::kShortest - 1), 0U);
}

// What it had waited before the first scan is added when it gets a CPU, after it.
TEST(CpuQueue, AnOldWaitCountsForNoMoreThanTheTimeBetween) {
  EXPECT_EQ(waiting({.ran = 150 * kMillisecond, .waited = 5 * kSecond, .slept = 1}), 0U);
}

}  // namespace
}  // namespace stallproof
