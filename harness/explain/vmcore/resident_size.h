// SPDX-License-Identifier: Apache-2.0
// How much memory the address spaces of a dump have in RAM, as ps shows it (RSS).
#pragma once

#include <vector>

#include "harness/explain/vmcore/kernel_btf.h"
#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/symbol_book.h"
#include "harness/explain/vmcore/task_walk.h"

namespace stallproof {

// Fills DumpedTask::resident where the kernel's counters are known and in the dump: mm_rss_stat
// with what each thread has not yet added to it (till 6.1), per-CPU counters (since 6.2).
void read_resident_sizes(const KernelMemory& memory, const KernelBtf& btf, const SymbolBook& book,
                         std::vector<DumpedTask>& tasks);

}  // namespace stallproof
