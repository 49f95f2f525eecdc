// SPDX-License-Identifier: Apache-2.0
// One task record of a kernel scan to a TaskRow. Pure.
#pragma once

#include "harness/probe/kernel_symbols.h"
#include "harness/probe/lock_snapshot.h"
#include "harness/probe/scan_record.h"

namespace stallproof {

// A page fault whose vm_fault lies in the frame of a function that owns one.
struct ScannedFault {
  FaultState state;
  std::uint64_t mm = 0;        // whose page: for a remote access not the task's own
  bool may_drop_lock = false;  // FAULT_FLAG_ALLOW_RETRY: the first try may give mmap_lock up
  bool waits = false;          // not FAULT_FLAG_RETRY_NOWAIT
};

char state_letter(std::uint32_t state);
TaskRow decode_task(const ScanTask& record, const KernelSymbols& symbols);
// `row` is decode_task() of the same record.
std::optional<ScannedFault> decode_fault(const ScanTask& record, const TaskRow& row);
bool has_frame(const TaskRow& row, std::string_view function);

}  // namespace stallproof
