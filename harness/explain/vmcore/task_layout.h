// SPDX-License-Identifier: Apache-2.0
// Where the fields lie that this lens reads of tasks and locks. What a kernel may lack is optional;
// without the rest a dump cannot be read.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/base/result.h"
#include "harness/explain/vmcore/kernel_btf.h"

namespace stallproof {

struct TaskLayout {
  std::uint32_t bytes, tasks, thread_node, signal, thread_head;
  std::uint32_t state, flags, stack, mm, pid, tgid, comm, real_parent, sp;
  std::uint32_t stack_bytes;
  std::uint32_t mmap_lock;
  std::optional<std::uint32_t> cpu, on_cpu, nvcsw, nivcsw, total_vm, jobctl, files;
  std::optional<KernelBtf::Bits> in_execve;

  static Result<TaskLayout> of(const KernelBtf& btf);
};

struct LockLayout {
  std::uint32_t count, owner, wait_list;
  std::uint32_t waiter_list, waiter_task, waiter_type;
  std::uint32_t mutex_owner, mutex_wait_list, mutex_waiter_list, mutex_waiter_task;
  // Readers from bit 8 of `count`, `owner` a word with flags: since 5.3.
  bool counts_readers = false;

  static Result<LockLayout> of(const KernelBtf& btf);
};

}  // namespace stallproof
