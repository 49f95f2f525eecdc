// SPDX-License-Identifier: Apache-2.0
// Lens: the tasks that a kernel log shows (hung-task reports, sysrq-w and -t), as a LockSnapshot.
// Understands the task lines of 2.6.18 to 7.x behind any prefix (log/log_line.h). A later report of
// the same task replaces an earlier one. Pure and total: any bytes are accepted. What the log
// reports besides tasks: kernel_report.h. Who holds a lock is known only where the kernel says it
// ("likely owned by", 6.15 and later: kernel/hung_task.c); queues and requests never are.
#pragma once

#include <string_view>

#include "harness/explain/crash_text.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// `complete`: at least one task was read, and every header was understood.
CrashText parse_kernel_log(std::string_view text);

}  // namespace stallproof
