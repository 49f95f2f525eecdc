// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/task_walk.h"

#include <gtest/gtest.h>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kFirst = 0xffffffff82000000ULL;

std::uint64_t task_at(std::uint64_t i) { return kFirst + i * 0x1000; }
std::uint64_t signal_at(std::uint64_t i) { return task_at(i) + 0x800; }

TaskLayout layout() {
  TaskLayout made{};
  made.bytes = 256;
  made.tasks = 0;
  made.thread_node = 16;
  made.signal = 32;
  made.thread_head = 0;
  made.pid = 40;
  made.tgid = 44;
  made.comm = 48;
  made.state = 64;
  made.flags = 68;
  made.stack = 72;
  made.mm = 80;
  made.real_parent = 88;
  made.sp = 96;
  return made;
}

// Processes 0 to `count` - 1, each of one thread, in a ring that begins with init_task.
MadeMemory processes(std::uint64_t count) {
  MadeMemory memory;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t task = task_at(i);
    memory.zeros(task, 256);
    memory.put(task, task_at((i + 1) % count)).put(task + 8, task_at((i + count - 1) % count));
    memory.put(task + 16, signal_at(i)).put(task + 24, signal_at(i));
    memory.put(signal_at(i), task + 16).put(signal_at(i) + 8, task + 16);
    memory.put(task + 32, signal_at(i));
    memory.put(task + 40, static_cast<std::int32_t>(i))
        .put(task + 44, static_cast<std::int32_t>(i));
    memory.put_text(task + 48, "comm");
    memory.put(task + 88, kFirst);
  }
  return memory;
}

TEST(TaskWalk, FindsEveryProcessOnce) {
  std::vector<std::string> missing;
  const auto tasks = walk_tasks(processes(5), layout(), kFirst, missing);
  ASSERT_EQ(tasks.size(), 5U);
  EXPECT_TRUE(missing.empty());
  for (std::size_t i = 0; i < tasks.size(); ++i)
    EXPECT_EQ(tasks[i].pid, static_cast<std::int32_t>(i));
  EXPECT_EQ(tasks[4].comm, "comm");
}

TEST(TaskWalk, WhatLiesBehindAGapIsFoundFromTheEnd) {
  std::vector<std::string> missing;
  const MadeMemory memory = processes(7).forget(task_at(3), 256);
  const auto tasks = walk_tasks(memory, layout(), kFirst, missing);
  EXPECT_EQ(tasks.size(), 6U);
  EXPECT_FALSE(missing.empty());
}

TEST(TaskWalk, CircleWithoutItsBeginningEnds) {
  std::vector<std::string> missing;
  MadeMemory memory = processes(4);
  memory.put(task_at(3), task_at(2)).put(task_at(2) + 8, task_at(3));
  EXPECT_EQ(walk_tasks(memory, layout(), kFirst, missing).size(), 4U);
  EXPECT_FALSE(missing.empty());
}

}  // namespace
}  // namespace stallproof
