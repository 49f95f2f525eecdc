// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/task_layout.h"

#include "harness/explain/vmcore/needed_fields.h"

namespace stallproof {
namespace {

constexpr std::uint32_t kUsualStack = 16384;  // THREAD_SIZE of x86-64 without KASAN

}  // namespace

Result<TaskLayout> TaskLayout::of(const KernelBtf& btf) {
  NeededFields needed(btf);
  TaskLayout out{};
  const auto task = [&needed](std::initializer_list<std::string_view> paths) {
    return needed.field("task_struct", paths);
  };
  out.bytes = needed.size("task_struct");
  out.tasks = task({"tasks"});
  out.thread_node = task({"thread_node"});
  out.signal = task({"signal"});
  out.thread_head = needed.field("signal_struct", {"thread_head"});
  out.state = task({"__state", "state"});  // renamed in 5.14
  out.flags = task({"flags"});
  out.stack = task({"stack"});
  out.mm = task({"mm"});
  out.pid = task({"pid"});
  out.tgid = task({"tgid"});
  out.comm = task({"comm"});
  out.real_parent = task({"real_parent"});
  out.sp = task({"thread.sp"});
  out.mmap_lock = needed.field("mm_struct", {"mmap_lock", "mmap_sem"});  // renamed in 5.8
  if (!needed.missing().empty()) return needed.lacking();
  out.stack_bytes = btf.size("thread_union").value_or(kUsualStack);
  out.cpu = btf.offset("task_struct", {"thread_info.cpu", "cpu"});  // moved in 5.16
  out.on_cpu = btf.offset("task_struct", {"on_cpu"});
  out.nvcsw = btf.offset("task_struct", {"nvcsw"});
  out.nivcsw = btf.offset("task_struct", {"nivcsw"});
  out.jobctl = btf.offset("task_struct", {"jobctl"});
  out.files = btf.offset("task_struct", {"files"});
  out.total_vm = btf.offset("mm_struct", {"total_vm"});
  out.in_execve = btf.bits("task_struct", "in_execve");
  return out;
}

Result<LockLayout> LockLayout::of(const KernelBtf& btf) {
  NeededFields needed(btf);
  LockLayout out{};
  out.count = needed.field("rw_semaphore", {"count"});
  out.owner = needed.field("rw_semaphore", {"owner"});
  out.wait_list = needed.field("rw_semaphore", {"wait_list"});
  out.waiter_list = needed.field("rwsem_waiter", {"list"});
  out.waiter_task = needed.field("rwsem_waiter", {"task"});
  out.waiter_type = needed.field("rwsem_waiter", {"type"});
  out.mutex_owner = needed.field("mutex", {"owner"});
  out.mutex_wait_list = needed.field("mutex", {"wait_list"});
  out.mutex_waiter_list = needed.field("mutex_waiter", {"list"});
  out.mutex_waiter_task = needed.field("mutex_waiter", {"task"});
  if (!needed.missing().empty()) return needed.lacking();
  out.counts_readers = btf.member_type("rw_semaphore", "owner") == "atomic_long_t";
  return out;
}

}  // namespace stallproof
