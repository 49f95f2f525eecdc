// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/blocked_tasks.h"

namespace stallproof {

void BlockedTaskTable::begin_scan(Nanos now_ns) {
  ++scan_;
  now_ns_ = now_ns;
}

void BlockedTaskTable::saw(std::uint32_t tid, std::uint64_t switches) {
  const std::size_t home = (tid * 2654435761U) % kCapacity;
  Entry* stale = nullptr;
  for (std::size_t step = 0; step < 64; ++step) {
    Entry& entry = entries_[(home + step) % kCapacity];
    if (entry.tid == tid) {
      const bool continued = entry.scan + 1 == scan_ && entry.switches == switches;
      if (!continued) entry.since_ns = now_ns_;
      entry.scan = scan_;
      entry.switches = switches;
      return;
    }
    if (stale == nullptr && (entry.tid == 0 || entry.scan + 1 < scan_)) stale = &entry;
    if (entry.tid == 0) break;
  }
  if (stale == nullptr) {
    ++overflow_;
    return;
  }
  *stale = Entry{.tid = tid, .scan = scan_, .switches = switches, .since_ns = now_ns_};
}

BlockedView BlockedTaskTable::finish_scan(Nanos stall_after) {
  BlockedView view{.scanned_ns = now_ns_};
  for (const Entry& entry : entries_) {
    if (entry.tid == 0 || entry.scan != scan_) continue;
    const Nanos age = now_ns_ - entry.since_ns;
    if (age < stall_after) continue;
    ++view.blocked;
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

}  // namespace stallproof
