// SPDX-License-Identifier: Apache-2.0
// Lens: the tasks that a kernel log shows (hung-task reports, sysrq-w and -t), as a LockSnapshot.
// Understands the task lines of 3.10, 4.18, 5.8 to 6.18 and the prefixes of dmesg, journal, syslog,
// serial console and mail. A later report of the same task replaces an earlier one. Pure and total:
// any bytes are accepted. Who holds a lock is known only where the kernel says it ("likely owned
// by", 6.15 and later: kernel/hung_task.c); queues and requests never are.
#pragma once

#include <string_view>

#include "harness/explain/crash_text.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

// `complete`: at least one task was read, and every header was understood.
CrashText parse_kernel_log(std::string_view text);

// One line without what logging put before the kernel's own text. For tests.
std::string_view without_prefix(std::string_view line);

}  // namespace stallproof
