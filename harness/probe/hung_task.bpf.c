// SPDX-License-Identifier: GPL-2.0-only
// Keeps who the kernel's hung-task detector reports. Its tracepoint fires whatever
// hung_task_warnings says (kernel/hung_task.c check_hung_task, 5.5 to 6.18), in khungtaskd alone.

// The first declares the types of the others.
// clang-format off
#include "harness/probe/kernel_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "harness/probe/hung_task.h"
// clang-format on

char LICENSE[] SEC("license") = "GPL";

struct HungTask hung_tasks[HUNG_TASKS_KEPT];
__u64 hung_count; /* ever reported; report i is at i modulo HUNG_TASKS_KEPT */

SEC("tp_btf/sched_process_hang")
int note_hung_task(unsigned long long* arguments) {
  const struct task_struct* task = (const void*)arguments[0];
  struct HungTask* kept = &hung_tasks[hung_count & (HUNG_TASKS_KEPT - 1)];
  kept->time_ns = bpf_ktime_get_ns();
  kept->tid = BPF_CORE_READ(task, pid);
  kept->tgid = BPF_CORE_READ(task, tgid);
  bpf_probe_read_kernel(kept->comm, sizeof(kept->comm),
                        (const char*)task + bpf_core_field_offset(struct task_struct, comm));
  __sync_fetch_and_add(&hung_count, 1);
  return 0;
}
