// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/lock_queues.h"

#include <gtest/gtest.h>

#include "harness/explain/vmcore/memory_fixture.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kStackBytes = 256;
constexpr std::uint64_t kTasks = 0xffff888100000000ULL;
constexpr std::uint64_t kStacks = 0xffffb00000000000ULL;
constexpr std::uint64_t kMm = 0xffff888200000000ULL;
constexpr std::uint32_t kMmapLock = 0x70;
constexpr LockLayout kLayout{.count = 0,
                             .owner = 8,
                             .wait_list = 24,
                             .waiter_list = 0,
                             .waiter_task = 16,
                             .waiter_type = 24,
                             .mutex_owner = 0,
                             .mutex_wait_list = 16,
                             .mutex_waiter_list = 0,
                             .mutex_waiter_task = 16,
                             .counts_readers = true};

std::uint64_t task_address(std::uint64_t i) { return kTasks + i * 0x1000; }
std::uint64_t waiter_address(std::uint64_t i) { return kStacks + i * 0x1000 + 64; }

std::vector<DumpedTask> tasks(std::uint64_t count) {
  std::vector<DumpedTask> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    DumpedTask task;
    task.address = task_address(i);
    task.pid = static_cast<std::int32_t>(100 + i);
    task.stack = kStacks + i * 0x1000;
    all.push_back(task);
  }
  return all;
}

// A lock with `types.size()` waiters, one on each task's stack.
MadeMemory queue(std::uint64_t lock, std::uint32_t wait_list,
                 const std::vector<std::uint32_t>& types) {
  MadeMemory memory;
  const std::uint64_t head = lock + wait_list;
  memory.put(lock, std::uint64_t{0x702}).put(lock + 8, task_address(0) | 1);
  memory.put(lock + 16, std::uint64_t{0});
  std::uint64_t before = head;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::uint64_t waiter = waiter_address(i);
    memory.put(before, waiter).put(waiter + 8, before);
    memory.put(waiter + 16, task_address(i)).put(waiter + 24, types[i]);
    before = waiter;
  }
  memory.put(before, head).put(head + 8, before);
  return memory;
}

StackCopy stack_of(const MadeMemory& memory, std::uint64_t i) {
  StackCopy copy{.begin = kStacks + i * 0x1000, .words = std::vector<std::uint64_t>(32)};
  for (std::size_t word = 0; word < copy.words.size(); ++word)
    copy.words[word] = memory.pointer(copy.begin + word * 8);
  return copy;
}

TEST(LockQueues, QueueOfAnMmapLockIsReadInOrder) {
  const MadeMemory memory = queue(kMm + kMmapLock, kLayout.wait_list, {0, 1, 1});
  const auto all = tasks(3);
  bool unread = false;
  const auto lock = LockQueues(memory, kLayout, kStackBytes, all).mmap_lock(kMm, kMmapLock, unread);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(unread);
  EXPECT_EQ(lock->count, 0x702U);
  ASSERT_EQ(lock->queue.size(), 3U);
  EXPECT_EQ(lock->queue[0].mode, LockMode::write);
  EXPECT_EQ(lock->queue[1].mode, LockMode::read);
  EXPECT_EQ(lock->queue[2].task, task_address(2));
  EXPECT_FALSE(lock->torn);
}

TEST(LockQueues, LockWithoutAQueueIsNone) {
  const MadeMemory memory = queue(kMm + kMmapLock, kLayout.wait_list, {});
  const auto all = tasks(1);
  const LockQueues queues(memory, kLayout, kStackBytes, all);
  bool unread = false;
  EXPECT_FALSE(queues.mmap_lock(kMm, kMmapLock, unread));
  EXPECT_FALSE(unread);
  EXPECT_FALSE(queues.mmap_lock(kMm + 0x1000, kMmapLock, unread));
  EXPECT_TRUE(unread);
}

TEST(LockQueues, QueueThatLeadsAstrayEndsTorn) {
  const auto all = tasks(3);
  const auto torn = [&all](MadeMemory memory) {
    bool unread = false;
    const auto lock =
        LockQueues(memory, kLayout, kStackBytes, all).mmap_lock(kMm, kMmapLock, unread);
    return lock && lock->torn;
  };
  MadeMemory good = queue(kMm + kMmapLock, kLayout.wait_list, {0, 1, 1});
  EXPECT_FALSE(torn(good));
  EXPECT_TRUE(torn(MadeMemory(good).put(waiter_address(1), std::uint64_t{0x1234})));
  // A circle that does not come back to the lock.
  EXPECT_TRUE(torn(MadeMemory(good).put(waiter_address(1), waiter_address(1))));
  EXPECT_TRUE(torn(MadeMemory(good).put(waiter_address(1) + 16, std::uint64_t{0})));
}

TEST(LockQueues, LockIsFoundFromAWaiterOnAStack) {
  constexpr std::uint64_t kLock = 0xffff888300000100ULL;
  const MadeMemory memory = queue(kLock, kLayout.wait_list, {0, 1});
  const auto all = tasks(2);
  const LockQueues queues(memory, kLayout, kStackBytes, all);
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto lock = queues.waited_for(all[i], stack_of(memory, i), LockKind::rwsem);
    ASSERT_TRUE(lock);
    EXPECT_EQ(lock->address, kLock);
    EXPECT_EQ(lock->queue.size(), 2U);
  }
  EXPECT_FALSE(queues.waited_for(all[0], {}, LockKind::rwsem));
}

TEST(LockQueues, MutexOfTwoThatQueue) {
  constexpr std::uint64_t kLock = 0xffff888300000100ULL;
  const MadeMemory memory = queue(kLock, kLayout.mutex_wait_list, {0, 0});
  const auto all = tasks(2);
  const auto lock = LockQueues(memory, kLayout, kStackBytes, all)
                        .waited_for(all[1], stack_of(memory, 1), LockKind::mutex);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->address, kLock);
  EXPECT_EQ(lock->queue[0].mode, LockMode::write);
}

}  // namespace
}  // namespace stallproof
