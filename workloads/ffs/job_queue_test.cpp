// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/job_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace stallproof {
namespace {

TEST(JobQueue, OldestJobComesFirst) {
  JobQueue<int> queue;
  for (const int job : {1, 2, 3}) queue.push(job);
  for (const int job : {1, 2, 3}) EXPECT_EQ(queue.pop(), job);
}

TEST(JobQueue, CloseEndsEveryWait) {
  JobQueue<int> queue;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) waiters.emplace_back([&] { EXPECT_EQ(queue.pop(), std::nullopt); });
  queue.close();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(JobQueue, ClosedQueueNeitherTakesNorGives) {
  JobQueue<int> queue;
  queue.push(1);
  queue.close();
  queue.push(2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(JobQueue, EveryJobIsTakenByExactlyOneThread) {
  JobQueue<int> queue;
  std::atomic<int> taken = 0;
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (const auto job = queue.pop()) {
        sum += *job;
        if (++taken == 1000) queue.close();
      }
    });
  }
  for (int job = 1; job <= 1000; ++job) queue.push(job);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(sum, 500500);
}

}  // namespace
}  // namespace stallproof
