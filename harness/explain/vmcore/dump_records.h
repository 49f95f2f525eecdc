// SPDX-License-Identifier: Apache-2.0
// Tasks and locks of a dump as the records that the live lens makes, so that both are decoded by
// the same code. Pure.
#pragma once

#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/explain/vmcore/lock_queues.h"
#include "harness/explain/vmcore/task_walk.h"
#include "harness/probe/scan_records.h"

namespace stallproof {

ScanTask task_record(const DumpedTask& task, const UnwoundStack& stack);
// The lock and its waiters.
void add_lock_records(const DumpedLock& lock, const LockQueues& queues,
                      const std::vector<DumpedTask>& tasks, ScanRecords& records);

}  // namespace stallproof
