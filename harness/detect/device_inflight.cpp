// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/device_inflight.h"

#include <fmt/format.h>

#include "harness/detect/detector_table.h"
#include "harness/detect/subject.h"

namespace stallproof {

void DeviceInflight::check(const SystemView& view, FindingList& out) {
  if (view.names == nullptr || view.system.at_ns == 0) return;
  const std::size_t disks = view.names->disk_count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < disks && i < kSystemDisks; ++i) {
    const DiskRow& disk = view.system.disks[i];
    State& state = states_[i];
    if (view.system.at_ns != judged_ns_) {
      const bool stands = disk.in_flight > 0 && disk.completed == state.completed;
      if (!stands) state.since_ns = disk.in_flight > 0 ? view.system.at_ns : 0;
      state.completed = disk.completed;
    }
    if (state.since_ns == 0 || view.after_gap) continue;
    if (view.system.at_ns < state.since_ns + stall_after_) continue;
    Finding finding{.kind = FindingKind::device_inflight,
                    .count = static_cast<std::uint32_t>(disk.in_flight),
                    .since_ns = state.since_ns};
    say(finding.subject, "{}", view.names->disk_names[i].bytes.data());
    out.add(finding);
  }
  judged_ns_ = view.system.at_ns;
}

std::unique_ptr<Detector> make_device_inflight(const Thresholds& thresholds) {
  return std::make_unique<DeviceInflight>(thresholds);
}

}  // namespace stallproof
