// SPDX-License-Identifier: Apache-2.0
// What the kernel itself says of its tasks when it is asked by sysrq. /proc/sysrq-trigger takes the
// letters of root whatever kernel.sysrq says (drivers/tty/sysrq.c write_sysrq_trigger(), 3.10 to
// 6.12), but for kernels whose vendor made it obey: those answer "This sysrq operation is
// disabled".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/kernel_setting.h"
#include "harness/probe/kmsg_record.h"

namespace stallproof {

inline constexpr const char* kSysrqTrigger = "/proc/sysrq-trigger";

struct KernelLogRoom {
  std::uint64_t tasks = 0;  // threads of the whole machine
  std::uint64_t processors = 1;
  std::uint64_t ring_bytes = 0;  // 0: not known
};
KernelLogRoom kernel_log_room();

// Which letters are asked, in order: blocked tasks (w) always; what runs on each processor (l) and
// all tasks (t) only where the answer cannot push more than half of the kernel log out, which the
// watchdog reads too; memory (m) always. `left_out` says why, a line each. Pure.
struct SysrqPlan {
  std::string letters;
  std::vector<std::string> left_out;
};
SysrqPlan plan_sysrq(const KernelLogRoom& room);

// What the answer in the kernel log amounts to, record by record. Pure.
struct SysrqAnswer {
  bool begun = false;    // the first words of the list of blocked tasks came
  bool refused = false;  // by the kernel's own words
  bool cut = false;      // the log was overwritten before it was read
};
void note_record(const KmsgRecord& record, SysrqAnswer& answer);
// As say_sysrq() returns it.
int error_of(const SysrqAnswer& answer);

// kernel.sysrq and the console level, as they are now and as they shall be while the kernel
// answers: everything allowed, and nothing printed to a console, which may be a slow serial line.
// Empty without sysrq, or when both are so already.
std::vector<ChangedSetting> settings_for_sysrq();

// Asks and writes the answers to `into`, in a child (bounded.h). The settings are changed first and
// put back at the end; a caller that may be killed meanwhile notes them before, elsewhere. Returns
// 0 or what sysrq_problem() has words for.
int say_sysrq(int into, const std::vector<ChangedSetting>& settings);
std::string sysrq_problem(int error);

}  // namespace stallproof
