// SPDX-License-Identifier: Apache-2.0
// The watchdog's look at the whole machine: rows of pressure, disks and FUSE connections for the
// evidence, and what the kernel itself reports. Watchdog process only; everything but open() is for
// its loop.
#pragma once

#include <optional>
#include <span>

#include "harness/detect/system_view.h"
#include "harness/probe/hung_task_trace.h"
#include "harness/probe/kmsg_record.h"
#include "harness/probe/system_sampler.h"

namespace stallproof {

class SystemWatch {
 public:
  // `own_load`: a hung task is evidence only; the load itself says whether it stands still.
  explicit SystemWatch(bool own_load) : own_load_(own_load) {}
  void open(EvidenceArea& area);
  // Once a second, or `at_once`: a row. Every time: hung tasks.
  void look(SystemView& view, EvidenceArea& area, bool at_once);
  // Where fusectl is not mounted, the scans tell how many requests of a connection wait.
  void take_scan(std::span<const std::byte> scan, const EvidenceArea& area);
  void take_line(const KmsgRecord& record, SystemView& view, EvidenceArea& area);

 private:
  void note_hung_tasks(SystemView& view, const EvidenceArea& area);
  void note_hung_task(std::int32_t tid, std::int32_t tgid, std::string_view comm, SystemView& view,
                      const EvidenceArea& area) const;

  bool own_load_;
  SystemSampler sampler_;
  std::optional<HungTaskTrace> hung_tasks_;
  std::uint64_t hung_before_ = 0;
  std::array<std::uint32_t, kSystemFuse> waiting_{};  // by the last scan
  Nanos last_ns_ = 0;
};

}  // namespace stallproof
