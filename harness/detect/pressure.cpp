// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/pressure.h"

#include <algorithm>

#include "harness/detect/detector_table.h"
#include "harness/detect/subject.h"

namespace stallproof {

void Pressure::judge(const SystemView& view) {
  const Nanos span = view.system.at_ns - base_.at_ns;
  if (base_.at_ns != 0 && span < kSpan) return;
  percent_ = 0;
  for (const std::size_t kind : {kPressureIo, kPressureMemory}) {
    const std::uint64_t before = base_.pressure[kind].full_us;
    const std::uint64_t waited_us = view.system.pressure[kind].full_us - before;
    if (base_.at_ns == 0 || view.system.pressure[kind].full_us < before) continue;
    const std::uint64_t percent = std::min<std::uint64_t>(waited_us * 1000 * 100 / span, 100);
    if (percent < 100 / kShareOfTime || percent <= percent_) continue;
    percent_ = percent;
    kind_ = kind;
  }
  if (percent_ == 0) since_ns_ = 0;
  if (percent_ != 0 && since_ns_ == 0) since_ns_ = base_.at_ns;
  base_ = view.system;
}

void Pressure::check(const SystemView& view, FindingList& out) {
  if (view.system.at_ns == 0) return;
  if (view.system.at_ns > base_.at_ns) judge(view);
  if (percent_ == 0 || view.after_gap) return;
  Finding finding{.kind = FindingKind::pressure,
                  .count = static_cast<std::uint32_t>(percent_),
                  .since_ns = since_ns_};
  say(finding.subject, "all tasks waited for {} in {} % of the last second",
      kind_ == kPressureIo ? "I/O" : "memory", percent_);
  out.add(finding);
}

std::unique_ptr<Detector> make_pressure(const Thresholds&) { return std::make_unique<Pressure>(); }

}  // namespace stallproof
