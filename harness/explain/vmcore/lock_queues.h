// SPDX-License-Identifier: Apache-2.0
// Contended locks of a dump with their queues: every mmap_lock, and the rwsems and mutexes that
// tasks wait for. No kernel before 6.16 notes which lock a task waits for; but a waiter lies on the
// stack of its task and hangs in the lock's list, and the one node of that ring that lies on no
// stack is the list's head, inside the lock (kernel/locking/rwsem.c, mutex.c, 4.18 to 6.18).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/explain/vmcore/task_layout.h"
#include "harness/explain/vmcore/task_walk.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct QueuedTask {
  std::uint64_t waiter = 0;  // address of the struct
  std::uint64_t task = 0;
  LockMode mode = LockMode::write;
};

struct DumpedLock {
  LockKind kind = LockKind::mmap_lock;
  std::uint64_t address = 0;
  std::uint64_t mm = 0;
  std::uint64_t count = 0;
  std::uint64_t owner = 0;
  std::uint64_t head = 0;  // of its queue
  std::vector<QueuedTask> queue;
  bool torn = false;  // its queue breaks off
  bool cut = false;   // longer than what is read
};

class LockQueues {
 public:
  LockQueues(const KernelMemory& memory, const LockLayout& layout, std::uint32_t stack_bytes,
             const std::vector<DumpedTask>& tasks);

  // nullopt when nobody queues, or when it is not in the dump: then `unread`.
  std::optional<DumpedLock> mmap_lock(std::uint64_t mm, std::uint32_t offset, bool& unread) const;
  // The lock that `task` queues for, found by the waiter on its stack.
  std::optional<DumpedLock> waited_for(const DumpedTask& task, const StackCopy& stack,
                                       LockKind kind) const;
  [[nodiscard]] const DumpedTask* task(std::uint64_t address) const;

 private:
  [[nodiscard]] bool on_a_stack(std::uint64_t address) const;
  [[nodiscard]] std::uint64_t head_of_ring(std::uint64_t node) const;
  bool read_words(DumpedLock& lock) const;
  void read_queue(DumpedLock& lock) const;

  const KernelMemory& memory_;
  const LockLayout& layout_;
  std::uint32_t stack_bytes_;
  std::unordered_map<std::uint64_t, const DumpedTask*> tasks_;
  std::map<std::uint64_t, std::uint64_t> stacks_;  // begin to task
};

}  // namespace stallproof
