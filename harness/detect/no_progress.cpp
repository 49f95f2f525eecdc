// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/no_progress.h"

namespace stallproof {

Nanos NoProgress::stall_after(const SystemView& view, std::size_t load) const {
  const bool queued = view.queued.waiting > 0 && view.now_ns < view.queued.scanned_ns + kQueuedFor;
  return thresholds_.of(load).stall_after * (queued ? kPatience : 1);
}

void NoProgress::check(const SystemView& view, FindingList& out) {
  if (view.after_gap) return;
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight == 0 || view.now_ns < onset_of(load) + stall_after(view, i)) continue;
    out.add({.kind = FindingKind::no_progress,
             .load = static_cast<std::uint32_t>(i),
             .tid = load.oldest_op_tid,
             .count = load.in_flight,
             .since_ns = onset_of(load)});
  }
}

Nanos NoProgress::next_due_ns(const SystemView& view) const {
  Nanos due = ~Nanos{0};
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight == 0) continue;
    const Nanos at = onset_of(load) + stall_after(view, i);
    if (at > view.now_ns && at < due) due = at;
  }
  return due;
}

void StuckOp::check(const SystemView& view, FindingList& out) {
  if (view.after_gap) return;
  for (std::size_t i = 0; i < view.load_count; ++i) {
    const LoadView& load = view.loads[i];
    if (load.in_flight == 0) continue;
    // Something completed when the op was already that old: its load moves, it does not.
    if (load.last_done_ns < load.oldest_op_started_ns + thresholds_.of(i).fail_after) continue;
    out.add({.kind = FindingKind::stuck_op,
             .load = static_cast<std::uint32_t>(i),
             .tid = load.oldest_op_tid,
             .count = 1,
             .since_ns = load.oldest_op_started_ns});
  }
}

}  // namespace stallproof
