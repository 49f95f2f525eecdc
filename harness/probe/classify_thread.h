// SPDX-License-Identifier: Apache-2.0
// What a thread's state, flags and system call say about what it waits for. Pure; system call
// numbers are those of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
#pragma once

#include "harness/probe/target_record.h"
#include "harness/probe/thread_sample.h"

namespace stallproof {

ThreadWait wait_of(const TargetRecord& record);
// It is in a call on a file now, or was when it was last in the kernel.
bool does_file_work(const TargetRecord& record);
// The same for pipes, sockets and terminals.
bool does_other_work(const TargetRecord& record);

}  // namespace stallproof
