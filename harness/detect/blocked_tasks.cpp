// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/blocked_tasks.h"

#include "harness/detect/detector_table.h"

namespace stallproof {
namespace {

// include/linux/sched.h, 3.10 to 6.18.
constexpr std::uint32_t kUninterruptible = 0x2;
constexpr std::uint32_t kStopped = 0x4;
constexpr std::uint32_t kTraced = 0x8;
constexpr std::uint32_t kWakeKill = 0x100;         // TASK_WAKEKILL, 4.14 and later
constexpr std::uint32_t kNoLoad = 0x400;           // idle kernel threads
constexpr std::uint32_t kFrozen = 0x8000;          // TASK_FROZEN, 6.1 and later
constexpr std::uint32_t kFrozenFlag = 0x10000;     // PF_FROZEN, before 6.1
constexpr std::uint32_t kKernelThread = 0x200000;  // PF_KTHREAD: there the bit above means other
// blk_io_schedule wakes direct I/O twice per hung-task timeout (block/blk-core.c, 6.1 to 6.18) only
// to hide it from the kernel's own detector: that many switches at the same place are no move.
constexpr std::uint64_t kRewakes = 2;

}  // namespace

bool is_blocked(const ScanTask& task, const QuietFunctions& quiet) {
  if ((task.state & kUninterruptible) == 0) return false;
  if ((task.state & (kNoLoad | kStopped | kTraced | kFrozen)) != 0) return false;
  if ((task.flags & kFrozenFlag) != 0 && (task.flags & kKernelThread) == 0) return false;
  return !quiet.contains(task.frames[0]);
}

BlockedState blocked_state(const ScanTask& task, const QuietFunctions& quiet) {
  if (is_blocked(task, quiet))
    return (task.state & kWakeKill) != 0 ? BlockedState::killable : BlockedState::blocked;
  constexpr std::uint32_t kInACall = SCAN_WHY_WATCHED | SCAN_WHY_CALL;
  const bool asleep = (task.state & kUninterruptible) == 0 && (task.why & kInACall) == kInACall;
  return asleep ? BlockedState::asleep : BlockedState::none;
}

std::uint64_t stack_hash(const ScanTask& task) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::uint64_t frame : task.frames) hash = (hash ^ frame) * 0x100000001b3ULL;
  return hash;
}

bool BlockedTaskTable::stands(const Entry& entry, std::uint64_t switches,
                              std::uint64_t stack) const {
  if (entry.scan + 1 != scan_) return false;
  if (entry.switches == switches) return true;
  return entry.stack == stack && switches > entry.switches && switches - entry.switches <= kRewakes;
}

void BlockedTaskTable::begin_scan(Nanos now_ns) {
  ++scan_;
  now_ns_ = now_ns;
}

void BlockedTaskTable::saw(std::uint32_t tid, std::uint64_t switches, std::uint64_t stack,
                           BlockedState state) {
  const std::size_t home = (tid * 2654435761U) % kCapacity;
  Entry* stale = nullptr;
  for (std::size_t step = 0; step < 64; ++step) {
    Entry& entry = entries_[(home + step) % kCapacity];
    if (entry.tid == tid) {
      if (!stands(entry, switches, stack)) entry.since_ns = now_ns_;
      entry.scan = scan_;
      entry.state = state;
      entry.switches = switches;
      entry.stack = stack;
      return;
    }
    if (stale == nullptr && (entry.tid == 0 || entry.scan + 1 < scan_)) stale = &entry;
    if (entry.tid == 0) break;
  }
  if (stale == nullptr) {
    ++overflow_;
    return;
  }
  *stale = Entry{.tid = tid,
                 .scan = scan_,
                 .state = state,
                 .switches = switches,
                 .stack = stack,
                 .since_ns = now_ns_};
}

BlockedView BlockedTaskTable::finish_scan(Nanos stall_after) {
  BlockedView view{.scanned_ns = now_ns_};
  for (const Entry& entry : entries_) {
    if (entry.tid == 0 || entry.scan != scan_) continue;
    const Nanos age = now_ns_ - entry.since_ns;
    if (age < stall_after) continue;
    if (entry.state == BlockedState::asleep) {
      ++view.asleep;
      continue;
    }
    ++view.blocked;
    if (entry.state == BlockedState::killable) ++view.killable;
    if (age >= view.longest_ns) {
      view.longest_ns = age;
      view.first_tid = entry.tid;
    }
  }
  return view;
}

void BlockedTasks::check(const SystemView& view, FindingList& out) {
  if (view.blocked.blocked == 0 || view.after_gap) return;
  out.add({.kind = FindingKind::blocked_tasks,
           .tid = view.blocked.first_tid,
           .count = view.blocked.blocked,
           .since_ns = view.blocked.scanned_ns - view.blocked.longest_ns});
}

std::unique_ptr<Detector> make_blocked_tasks(const Thresholds&) {
  return std::make_unique<BlockedTasks>();
}

}  // namespace stallproof
