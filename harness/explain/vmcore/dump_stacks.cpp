// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/dump_stacks.h"

#include <fmt/core.h>

namespace stallproof {
namespace {

// From `sp` to the end of the task's stack.
StackCopy copy_stack(const KernelMemory& memory, const TaskLayout& layout, const DumpedTask& task,
                     std::uint64_t sp) {
  StackCopy copy;
  const std::uint64_t end = task.stack + layout.stack_bytes;
  if (!is_kernel_pointer(task.stack) || sp < task.stack || sp >= end || sp % 8 != 0) return copy;
  copy.begin = sp;
  copy.words.resize((end - sp) / 8);
  if (!memory.read(sp, copy.words.data(), copy.words.size() * 8)) copy.words.clear();
  return copy;
}

// To be shown: what ran is no part of a stall.
UnwoundStack running_stack(const KernelMemory& memory, const TaskLayout& layout,
                           const OrcTables& orc, const DumpedTask& task) {
  const auto registers = memory.registers(task.cpu);
  if (!registers) return {{}, "it ran on a CPU"};
  if ((registers->cs & 3U) != 0) return {{}, "it ran in user space"};
  const StackCopy copy = copy_stack(memory, layout, task, registers->sp);
  if (copy.words.empty()) return {{}, "it ran on another stack than its own (an interrupt)"};
  return unwind_running(copy, orc, *registers);
}

}  // namespace

DumpStacks read_stacks(const KernelMemory& memory, const TaskLayout& layout, const OrcTables& orc,
                       std::uint64_t first_run, const std::vector<DumpedTask>& tasks,
                       std::vector<std::string>& missing) {
  DumpStacks out;
  std::size_t unread = 0;
  std::size_t broken = 0;
  for (const DumpedTask& task : tasks) {
    out.copies.push_back(task.on_cpu ? StackCopy{} : copy_stack(memory, layout, task, task.sp));
    if (task.on_cpu) {
      out.stacks.push_back(running_stack(memory, layout, orc, task));
      continue;
    }
    UnwoundStack stack{{}, "its stack is not in the dump"};
    if (!out.copies.back().words.empty())
      stack = unwind_sleeping(out.copies.back(), orc, first_run);
    if (stack.frames.empty()) ++unread;
    if (!stack.frames.empty() && !stack.problem.empty()) ++broken;
    out.stacks.push_back(std::move(stack));
  }
  if (unread != 0) missing.push_back(fmt::format("stacks of {} tasks are not in the dump", unread));
  if (broken != 0)
    missing.push_back(fmt::format("stacks of {} tasks break off before their end", broken));
  return out;
}

}  // namespace stallproof
