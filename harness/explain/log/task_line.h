// SPDX-License-Identifier: Apache-2.0
// The line that begins the dump of one task (kernel/sched/core.c sched_show_task), 2.6.18 to 7.x,
// also of ppc64 and OpenVZ. Pure and total.
#pragma once

#include <optional>
#include <string_view>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// comm, state, tid, parent and, where told, tgid.
std::optional<TaskRow> task_line(std::string_view line);

// Begins like one of 5.8 and later, whatever follows.
bool is_like_task_line(std::string_view line);

}  // namespace stallproof
