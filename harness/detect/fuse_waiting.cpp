// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/fuse_waiting.h"

#include <algorithm>

#include "harness/detect/detector_table.h"
#include "harness/detect/subject.h"

namespace stallproof {

void FuseWaiting::check(const SystemView& view, FindingList& out) {
  if (view.names == nullptr || view.system.at_ns == 0) return;
  Nanos last_done = 0;
  for (std::size_t i = 0; i < view.load_count; ++i)
    last_done = std::max(last_done, view.loads[i].last_done_ns);
  for (std::size_t i = 0; i < kSystemFuse; ++i) {
    const std::uint32_t waiting = view.system.fuse_waiting[i];
    if (waiting == 0) since_[i] = 0;
    if (waiting > 0 && since_[i] == 0) since_[i] = view.system.at_ns;
    if (since_[i] == 0 || view.after_gap) continue;
    const Nanos since = std::max(since_[i], last_done);
    if (view.now_ns < since + stall_after_) continue;
    Finding finding{.kind = FindingKind::fuse_waiting, .count = waiting, .since_ns = since};
    say(finding.subject, "connection {}",
        view.names->watched_fuse[i].load(std::memory_order_relaxed));
    out.add(finding);
  }
}

std::unique_ptr<Detector> make_fuse_waiting(const Thresholds& thresholds) {
  return std::make_unique<FuseWaiting>(thresholds);
}

}  // namespace stallproof
