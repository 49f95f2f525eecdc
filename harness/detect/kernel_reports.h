// SPDX-License-Identifier: Apache-2.0
// What the kernel itself reports: hung tasks and lines of its log that tell of trouble. A report
// supports the incidents of the minute after it, whichever came first. A hung task is an incident
// by itself only when it belongs to a watched process that is not ours.
#pragma once

#include <cstddef>
#include <cstdint>
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

// What kind of trouble a line tells of.
enum class KernelEvent : std::uint8_t {
  hung_task,
  lockup,  // soft or hard
  rcu_stall,
  workqueue,
  io_error,   // of a block device
  fs_error,   // of a file system, also that it is read-only from now on
  no_answer,  // of a server or a device
};
inline constexpr std::size_t kKernelEvents = static_cast<std::size_t>(KernelEvent::no_answer) + 1;
std::string_view kernel_event_name(KernelEvent event);
// Of a line of the kernel's own (facility 0), all formats from 3.10 to 6.18; none: of no trouble.
// What processes wrote into the log must not come here: anybody can write anything.
std::optional<KernelEvent> kernel_event(std::string_view line);

enum class KernelLine { nothing, hung_task, trouble };
// The same, as far as detectors tell it apart.
KernelLine classify_kernel_line(std::string_view line);
// "INFO: task COMM:PID blocked …": the PID; a COMM may hold spaces and colons.
std::optional<std::uint32_t> hung_task_of_line(std::string_view line);

}  // namespace stallproof
