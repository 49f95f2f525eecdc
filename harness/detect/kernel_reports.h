// SPDX-License-Identifier: Apache-2.0
// What the kernel itself reports: hung tasks and lines of its log that tell of trouble. A report
// supports the incidents of the minute after it, whichever came first. A hung task is an incident
// by itself only when it belongs to a watched process that is not ours.
#pragma once

#include <optional>
#include <string_view>

#include "harness/detect/detector.h"

namespace stallproof {

inline constexpr Nanos kReportCounts = 60 * kSecond;

class HungTasks final : public Detector {
 public:
  void check(const SystemView& view, FindingList& out) override;
};

class KernelLog final : public Detector {
 public:
  void check(const SystemView& view, FindingList& out) override;
};

enum class KernelLine { nothing, hung_task, trouble };
// One line of the kernel's own (facility 0), all formats from 3.10 to 6.18. What processes wrote
// into the log must not come here: anybody can write anything.
KernelLine classify_kernel_line(std::string_view line);
// "INFO: task COMM:PID blocked …": the PID; a COMM may hold spaces and colons.
std::optional<std::uint32_t> hung_task_of_line(std::string_view line);

}  // namespace stallproof
