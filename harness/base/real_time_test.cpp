// SPDX-License-Identifier: Apache-2.0
#include "harness/base/real_time.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <sstream>
#include <thread>

#include "harness/base/file.h"
#include "harness/base/inheriting_mutex.h"

namespace stallproof {
namespace {

int priority_of_this_thread() {
  sched_param now{};
  return ::sched_getparam(0, &now) == 0 ? now.sched_priority : -1;
}

TEST(RealTime, IsOfTheThreadAndOfWhatItStarts) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  bool allowed = false;
  int of_child = -1;
  std::thread([&] {
    allowed = run_before_loads(RealTime::answers);
    std::thread([&] { of_child = priority_of_this_thread(); }).join();
  }).join();
  EXPECT_TRUE(allowed);
  EXPECT_EQ(of_child, static_cast<int>(RealTime::answers));
  EXPECT_EQ(priority_of_this_thread(), 0);
}

// Field 18 of stat: below 0 for real time (fs/proc/array.c do_task_stat, 6.18).
long kernel_priority_of(pid_t thread) {
  const auto text = read_file(fmt::format("/proc/self/task/{}/stat", thread), 4096);
  if (!text) return 0;
  std::istringstream fields(text->substr(text->rfind(')') + 2));
  std::string field;
  for (int number = 3; number <= 18; ++number) fields >> field;
  return std::stol(field);
}

TEST(RealTime, HolderOfAnInheritingMutexIsRunForWhoWaits) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  InheritingMutex mutex;
  std::unique_lock held(mutex);
  const pid_t holder = ::gettid();
  EXPECT_GE(kernel_priority_of(holder), 0);
  std::atomic<bool> allowed{false}, tried{false};
  std::thread waiter([&] {
    allowed = run_before_loads(RealTime::answers);
    tried = true;
    const std::lock_guard waiting(mutex);
  });
  bool raised = false;
  for (int i = 0; i < 500 && !raised && (!tried || allowed); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    raised = kernel_priority_of(holder) < 0;
  }
  held.unlock();
  waiter.join();
  EXPECT_TRUE(allowed);
  EXPECT_TRUE(raised);
  EXPECT_GE(kernel_priority_of(holder), 0);
}

TEST(RealTime, WatchdogGoesBeforeWhoAnswers) {
  EXPECT_GT(static_cast<int>(RealTime::watching), static_cast<int>(RealTime::answers));
}

}  // namespace
}  // namespace stallproof
