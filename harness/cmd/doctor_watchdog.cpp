// SPDX-License-Identifier: Apache-2.0
// What lets the watchdog see the machine and keeps the machine from stopping it. Each is tried here
// and taken back.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/file.h"
#include "harness/base/real_time.h"
#include "harness/base/sealed_program.h"
#include "harness/cmd/doctor_checks.h"
#include "harness/probe/hung_task_trace.h"

namespace stallproof {
namespace {

DoctorRow memory_row() {
  const bool locked = ::mlockall(MCL_CURRENT) == 0;
  const int error = errno;
  ::munlockall();
  return {"watchdog's memory", locked ? Ability::there : Ability::lacking,
          locked ? "can be locked" : std::strerror(error),
          locked ? ""
                 : "a stuck disk can stop the watchdog by a page fault (run as root, or ulimit -l "
                   "unlimited)",
          false};
}

DoctorRow program_row() {
  const auto copy = seal_copy_of_program();
  return {"watchdog's program", copy ? Ability::there : Ability::lacking,
          copy ? "runs from a sealed copy in memory" : copy.error().what,
          copy ? "" : "it is read from the disk it was started from", false};
}

DoctorRow priority_row() {
  const int before = ::sched_getscheduler(0);
  sched_param old{};
  ::sched_getparam(0, &old);
  const sched_param wanted{.sched_priority = static_cast<int>(RealTime::watching)};
  const bool real_time = ::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0;
  const int error = errno;
  if (real_time) ::sched_setscheduler(0, before, &old);
  return {"watchdog's priority", real_time ? Ability::there : Ability::lacking,
          real_time ? fmt::format("before ordinary work (SCHED_FIFO {})", wanted.sched_priority)
                    : std::strerror(error),
          real_time ? "" : "where processors are short it looks late: observer gaps", false};
}

DoctorRow out_of_memory_row() {
  const std::string path = "/proc/self/oom_score_adj";
  const auto before = read_file(path, 64);
  const auto set = write_control_file(path, "-1000");
  if (set && before) {
    [[maybe_unused]] const auto back = write_control_file(path, *before);
  }
  return {"watchdog's survival", set ? Ability::there : Ability::lacking,
          set ? "last to be killed when memory runs out" : set.error().what,
          set ? "" : "a machine out of memory may end the watchdog: such a run is unknown", false};
}

DoctorRow machine_view_row() {
  std::string missing;
  for (const char* path : {"/proc/pressure/io", "/proc/diskstats"})
    if (::access(path, R_OK) != 0)
      missing += fmt::format("{}{}", missing.empty() ? "" : ", ", path);
  return {"machine view", missing.empty() ? Ability::there : Ability::lacking,
          missing.empty() ? "pressure and disk counters" : "no " + missing,
          missing.empty() ? "" : "incidents lack them (pressure: boot with psi=1)", false};
}

DoctorRow hung_reports_row() {
  const bool counted = ::access("/proc/sys/kernel/hung_task_detect_count", R_OK) == 0;
  const auto trace = HungTaskTrace::open();
  if (trace)
    return {"hung-task reports", Ability::there, "by tracepoint, whatever hung_task_warnings says",
            "", false};
  return {"hung-task reports", Ability::lacking, trace.error().what,
          counted ? "they are counted without names (hung_task_detect_count)"
                  : "they are read from the kernel log, while hung_task_warnings lasts",
          false};
}

}  // namespace

std::vector<DoctorRow> check_watchdog() {
  return {memory_row(),        program_row(),      priority_row(),
          out_of_memory_row(), machine_view_row(), hung_reports_row()};
}

}  // namespace stallproof
