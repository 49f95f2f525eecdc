// SPDX-License-Identifier: Apache-2.0
// All tasks of a dump, from init_task on: processes by task_struct.tasks, their threads by
// signal_struct.thread_head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/explain/vmcore/kernel_memory.h"
#include "harness/explain/vmcore/task_layout.h"

namespace stallproof {

struct DumpedTask {
  std::uint64_t address = 0;
  std::int32_t pid = 0;
  std::int32_t tgid = 0;
  std::int32_t parent = 0;  // process
  std::uint32_t state = 0;
  std::uint32_t flags = 0;
  std::uint64_t mm = 0;
  std::uint64_t files = 0;  // its files_struct, 0 when unknown
  std::uint64_t stack = 0;
  std::uint64_t sp = 0;
  std::uint64_t switches = 0;
  std::uint64_t jobctl = 0;
  std::uint64_t total_vm = 0;             // pages
  std::optional<std::uint64_t> resident;  // pages of its address space
  std::int32_t cpu = -1;
  bool on_cpu = false;
  bool in_execve = false;
  std::string comm;
};

// At most a million; every list is checked for breaks and circles, which `missing` tells.
std::vector<DumpedTask> walk_tasks(const KernelMemory& memory, const TaskLayout& layout,
                                   std::uint64_t init_task, std::vector<std::string>& missing);

}  // namespace stallproof
