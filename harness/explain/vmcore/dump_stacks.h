// SPDX-License-Identifier: Apache-2.0
// The stacks of all tasks of a dump.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/kernel_stack.h"
#include "harness/explain/vmcore/task_layout.h"
#include "harness/explain/vmcore/task_walk.h"

namespace stallproof {

// Both have an entry for each task, in the same order.
struct DumpStacks {
  std::vector<StackCopy> copies;  // of a task that ran, or that is not in the dump, empty
  std::vector<UnwoundStack> stacks;
};

// `first_run`: see unwind_sleeping(). What could not be read goes into `missing`.
DumpStacks read_stacks(const KernelMemory& memory, const TaskLayout& layout, const OrcTables& orc,
                       std::uint64_t first_run, const std::vector<DumpedTask>& tasks,
                       std::vector<std::string>& missing);

}  // namespace stallproof
