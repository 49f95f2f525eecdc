// SPDX-License-Identifier: Apache-2.0
// What khungtaskd says of the lock that a task waits for (kernel/hung_task.c debug_show_blocker:
// mutexes since 6.15, semaphores 6.16, rw-semaphores 6.17). Pure and total.
#pragma once

#include <optional>
#include <string_view>

#include "harness/explain/kernel_report.h"

namespace stallproof {

struct Blocker {
  std::string waiter;
  std::int32_t waiter_pid = 0;
  ReportOwner owner;
};

std::optional<Blocker> blocker_line(std::string_view line);

}  // namespace stallproof
