// SPDX-License-Identifier: Apache-2.0
#include "harness/run/lock_queue.h"

#include <algorithm>

#include "harness/probe/scan_walk.h"

namespace stallproof {

LockQueue::Waiter* LockQueue::Waiters::find(std::uint64_t task) {
  const auto found =
      std::lower_bound(used().begin(), used().end(), task,
                       [](const Waiter& each, std::uint64_t wanted) { return each.task < wanted; });
  return found == used().end() || found->task != task ? nullptr : &*found;
}

// Waiters follow their lock.
void LockQueue::collect(std::span<const std::byte> scan, Nanos taken_ns, Waiters& now,
                        Count& count) {
  now.count = 0;
  std::uint64_t mmap_lock = 0;
  for_each_head(scan, [&](const ScanHead& head, std::span<const std::byte> bytes) {
    visit_if<ScanLock>(head, bytes, SCAN_LOCK,
                       [&](const ScanLock& lock) { mmap_lock = lock.mm != 0 ? lock.lock : 0; });
    visit_if<ScanWaiter>(head, bytes, SCAN_WAITER, [&](const ScanWaiter& waiter) {
      if (mmap_lock == 0 || waiter.lock != mmap_lock) return;
      ++(waiter.reader != 0 ? count.readers : count.writers);
      if (now.count == kWaiters) return;
      now.all[now.count++] = {.task = waiter.task, .lock = waiter.lock, .since_ns = taken_ns};
    });
  });
  std::sort(now.used().begin(), now.used().end(),
            [](const Waiter& a, const Waiter& b) { return a.task < b.task; });
}

LockQueue::Count LockQueue::count(std::span<const std::byte> scan, Nanos taken_ns) {
  Count count;
  newest_ = 1 - newest_;
  Waiters& now = waiters_[newest_];
  Waiters& before = waiters_[1 - newest_];
  collect(scan, taken_ns, now, count);
  if (now.count == 0) return count;
  for_each_task(scan, [&](const ScanTask& task) {
    Waiter* const waiter = now.find(task.task);
    if (waiter == nullptr) return;
    waiter->switches = task.switches;
    const Waiter* const old = before.find(task.task);
    if (old != nullptr && old->lock == waiter->lock && old->switches == task.switches)
      waiter->since_ns = old->since_ns;
  });
  count.oldest_since_ns = taken_ns;
  for (const Waiter& waiter : now.used())
    count.oldest_since_ns = std::min(count.oldest_since_ns, waiter.since_ns);
  return count;
}

}  // namespace stallproof
