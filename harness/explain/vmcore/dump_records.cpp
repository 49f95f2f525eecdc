// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/dump_records.h"

#include <algorithm>
#include <cstring>

namespace stallproof {
namespace {

// include/linux/sched.h, jobctl.h; 4.18 to 6.18. See probe/scan_facts.bpf.h.
constexpr std::uint32_t kStopped = 0x4;
constexpr std::uint32_t kTraced = 0x8;
constexpr std::uint32_t kInterruptible = 0x1;
constexpr std::uint32_t kStateFrozen = 0x8000;
constexpr std::uint32_t kFlagFrozen = 0x10000;  // before 6.1; later a mark of kernel threads
constexpr std::uint32_t kKernelThread = 0x200000;
constexpr std::uint64_t kJobctlFreeze = 1ULL << 23U;
constexpr std::uint64_t kOwnerFlags = 7;

void copy_comm(const std::string& comm, char* into) {
  std::memcpy(into, comm.data(), std::min<std::size_t>(comm.size(), 16));
}

std::uint32_t facts_of(const DumpedTask& task) {
  std::uint32_t facts = 0;
  if ((task.state & kStopped) != 0) facts |= SCAN_FACT_STOPPED;
  if ((task.state & kTraced) != 0) facts |= SCAN_FACT_TRACED;
  const bool trapped = (task.state & kInterruptible) != 0 && (task.jobctl & kJobctlFreeze) != 0;
  const bool marked = (task.flags & (kFlagFrozen | kKernelThread)) == kFlagFrozen;
  if ((task.state & kStateFrozen) != 0 || marked || trapped) facts |= SCAN_FACT_FROZEN;
  if (task.in_execve) facts |= SCAN_FACT_EXEC;
  return facts;
}

}  // namespace

ScanTask task_record(const DumpedTask& task, const UnwoundStack& stack) {
  ScanTask out{};
  out.head = {SCAN_TASK, sizeof(out)};
  out.task = task.address;
  out.mm = task.mm;
  out.switches = task.switches;
  out.tid = task.pid;
  out.tgid = task.tgid;
  out.parent = task.parent;
  out.state = task.state;
  out.flags = task.flags;
  out.moved = task.on_cpu ? 1 : 0;
  out.facts = facts_of(task);
  copy_comm(task.comm, out.comm);
  const std::size_t frames = std::min<std::size_t>(stack.frames.size(), SCAN_FRAMES);
  for (std::size_t i = 0; i < frames; ++i) out.frames[i] = stack.frames[i].code() + 1;
  out.stack_bytes = static_cast<std::int32_t>(frames * 8);
  return out;
}

void add_lock_records(const DumpedLock& lock, const LockQueues& queues,
                      const std::vector<DumpedTask>& tasks, ScanRecords& records) {
  ScanLock out{};
  out.head = {SCAN_LOCK, sizeof(out)};
  out.lock = lock.address;
  out.mm = lock.mm;
  out.count = lock.count;
  out.owner = lock.owner;
  out.type = lock.kind == LockKind::mutex ? SCAN_MUTEX : SCAN_RWSEM;
  if (lock.torn) out.flags |= SCAN_LOCK_TORN;
  if (lock.cut) out.flags |= SCAN_LOCK_CUT;
  out.waiters = static_cast<std::uint32_t>(lock.queue.size());
  const auto user = std::find_if(tasks.begin(), tasks.end(), [&lock](const DumpedTask& task) {
    return lock.mm != 0 && task.mm == lock.mm;
  });
  if (user != tasks.end()) out.tgid = user->tgid;
  if (const DumpedTask* owner = queues.task(lock.owner & ~kOwnerFlags)) {
    out.owner_tid = owner->pid;
    out.owner_tgid = owner->tgid;
    copy_comm(owner->comm, out.owner_comm);
  }
  records.locks.push_back(out);
  for (const QueuedTask& queued : lock.queue) {
    ScanWaiter waiter{};
    waiter.head = {SCAN_WAITER, sizeof(waiter)};
    waiter.lock = lock.address;
    waiter.task = queued.task;
    waiter.reader = queued.mode == LockMode::read ? 1 : 0;
    if (const DumpedTask* task = queues.task(queued.task)) {
      waiter.tid = task->pid;
      waiter.tgid = task->tgid;
      copy_comm(task->comm, waiter.comm);
    }
    records.waiters.push_back(waiter);
  }
}

}  // namespace stallproof
