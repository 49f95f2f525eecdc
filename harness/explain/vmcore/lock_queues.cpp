// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/lock_queues.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostWaiters = 65536;
constexpr std::uint32_t kReadWaiter = 1;  // RWSEM_WAITING_FOR_READ

}  // namespace

LockQueues::LockQueues(const KernelMemory& memory, const LockLayout& layout,
                       std::uint32_t stack_bytes, const std::vector<DumpedTask>& tasks)
    : memory_(memory), layout_(layout), stack_bytes_(stack_bytes) {
  for (const DumpedTask& task : tasks) {
    tasks_.emplace(task.address, &task);
    if (task.stack != 0) stacks_.emplace(task.stack, task.address);
  }
}

const DumpedTask* LockQueues::task(std::uint64_t address) const {
  const auto found = tasks_.find(address);
  return found == tasks_.end() ? nullptr : found->second;
}

bool LockQueues::on_a_stack(std::uint64_t address) const {
  auto after = stacks_.upper_bound(address);
  if (after == stacks_.begin()) return false;
  --after;
  return address - after->first < stack_bytes_;
}

bool LockQueues::read_words(DumpedLock& lock) const {
  const bool mutex = lock.kind == LockKind::mutex;
  const auto owner =
      memory_.value<std::uint64_t>(lock.address + (mutex ? layout_.mutex_owner : layout_.owner));
  if (!owner) return false;
  lock.owner = *owner;
  lock.head = lock.address + (mutex ? layout_.mutex_wait_list : layout_.wait_list);
  if (mutex) return true;
  const auto count = memory_.value<std::uint64_t>(lock.address + layout_.count);
  if (!count) return false;
  lock.count = *count;
  return true;
}

void LockQueues::read_queue(DumpedLock& lock) const {
  const bool mutex = lock.kind == LockKind::mutex;
  const std::uint32_t list = mutex ? layout_.mutex_waiter_list : layout_.waiter_list;
  const std::uint32_t task = mutex ? layout_.mutex_waiter_task : layout_.waiter_task;
  std::uint64_t node = memory_.pointer(lock.head);
  while (node != lock.head) {
    if (lock.queue.size() >= kMostWaiters) {
      lock.cut = true;
      return;
    }
    const std::uint64_t waiter = node - list;
    const std::uint64_t who = is_kernel_pointer(node) ? memory_.pointer(waiter + task) : 0;
    const std::uint64_t next = who == 0 ? 0 : memory_.pointer(node);
    if (next == 0 || memory_.pointer(next + 8) != node) {
      lock.torn = true;
      return;
    }
    QueuedTask entry{waiter, who, LockMode::write};
    if (!mutex && memory_.value<std::uint32_t>(waiter + layout_.waiter_type) == kReadWaiter)
      entry.mode = LockMode::read;
    lock.queue.push_back(entry);
    node = next;
  }
}

std::optional<DumpedLock> LockQueues::mmap_lock(std::uint64_t mm, std::uint32_t offset,
                                                bool& unread) const {
  DumpedLock lock;
  lock.mm = mm;
  lock.address = mm + offset;
  if (!is_kernel_pointer(mm) || !read_words(lock)) {
    unread = true;
    return std::nullopt;
  }
  read_queue(lock);
  if (lock.queue.empty() && !lock.torn) return std::nullopt;
  return lock;
}

std::uint64_t LockQueues::head_of_ring(std::uint64_t first) const {
  std::uint64_t head = 0;
  std::uint64_t node = first;
  for (std::size_t i = 0; i < kMostWaiters; ++i) {
    if (!on_a_stack(node)) {
      if (head != 0) return 0;
      head = node;
    }
    const std::uint64_t next = memory_.pointer(node);
    if (!is_kernel_pointer(next) || memory_.pointer(next + 8) != node) return 0;
    if (next == first) return head;
    node = next;
  }
  return 0;
}

std::optional<DumpedLock> LockQueues::waited_for(const DumpedTask& task, const StackCopy& stack,
                                                 LockKind kind) const {
  const bool mutex = kind == LockKind::mutex;
  const std::uint32_t list = mutex ? layout_.mutex_waiter_list : layout_.waiter_list;
  const std::uint32_t own = mutex ? layout_.mutex_waiter_task : layout_.waiter_task;
  const std::uint32_t wait_list = mutex ? layout_.mutex_wait_list : layout_.wait_list;
  for (std::size_t i = 0; i < stack.words.size(); ++i) {
    if (stack.words[i] != task.address) continue;
    const std::uint64_t node = stack.begin + i * 8 - own + list;
    if (!stack.word(node)) continue;
    const std::uint64_t head = head_of_ring(node);
    if (head == 0) continue;
    DumpedLock lock;
    lock.kind = kind;
    lock.address = head - wait_list;
    if (!read_words(lock)) continue;
    read_queue(lock);
    return lock;
  }
  return std::nullopt;
}

}  // namespace stallproof
