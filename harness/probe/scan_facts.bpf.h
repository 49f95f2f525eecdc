/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task_struct itself tells beside its state: halted or not, in execve, its time on a CPU.
 * Fields that a kernel lacks leave their fact empty. */
#ifndef HARNESS_PROBE_SCAN_FACTS_BPF_H
#define HARNESS_PROBE_SCAN_FACTS_BPF_H

#include "harness/probe/kernel_types.h"
#include "harness/probe/scan_maps.bpf.h"
#include "harness/probe/scan_record.h"

/* include/linux/sched.h, jobctl.h; 5.14 to 6.18. */
#define STATE_INTERRUPTIBLE 0x1
#define STATE_STOPPED 0x4
#define STATE_TRACED 0x8
#define STATE_FROZEN 0x8000 /* 6.1 and later */
#define FLAG_FROZEN 0x10000 /* PF_FROZEN, before 6.1; later PF_KCOMPACTD */
#define FLAG_KTHREAD 0x200000
#define FLAG_IO_WORKER 0x10        /* PF_IO_WORKER, 5.12 and later */
#define JOBCTL_FREEZE (1ULL << 23) /* JOBCTL_TRAP_FREEZE: cgroup v2 */

/* Asleep in S where a task in D would be blocked: FUSE and userfaultfd in a page fault (no call:
 * orig_ax is -1), execve, the waits of io_uring and aio. Numbers of x86-64. */
static __always_inline int sleeps_in_call(struct task_struct* task) {
  if (!(task->__state & STATE_INTERRUPTIBLE) || !task->mm || (task->flags & FLAG_IO_WORKER))
    return 0;
  struct pt_regs* const regs = (struct pt_regs*)bpf_task_pt_regs(task);
  if (!regs) return 0;
  const __s64 call = (__s64)BPF_CORE_READ(regs, orig_ax);
  return call == -1 || call == 59 || call == 322 || call == 208 || call == 333 || call == 426;
}

/* kernel/sched/fair.c: task_struct.throttled since 6.18, the queue of its cgroup before. */
static __always_inline int is_throttled(struct task_struct* task) {
  if (bpf_core_field_exists(task->throttled) && BPF_CORE_READ(task, throttled)) return 1;
  if (!bpf_core_field_exists(task->se.cfs_rq) ||
      !bpf_core_field_exists(struct cfs_rq, throttle_count))
    return 0;
  return BPF_CORE_READ(task, se.cfs_rq, throttle_count) > 0;
}

static __always_inline __u32 facts_of(struct task_struct* task) {
  __u32 facts = 0;
  const __u32 state = task->__state;
  if (state & STATE_STOPPED) facts |= SCAN_FACT_STOPPED;
  if (state & STATE_TRACED) facts |= SCAN_FACT_TRACED;
  const int trapped = (state & STATE_INTERRUPTIBLE) && (task->jobctl & JOBCTL_FREEZE);
  const int flagged = (task->flags & (FLAG_FROZEN | FLAG_KTHREAD)) == FLAG_FROZEN;
  if ((state & STATE_FROZEN) || flagged || trapped) facts |= SCAN_FACT_FROZEN;
  if (bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD_PROBED(task, in_execve))
    facts |= SCAN_FACT_EXEC;
  if (state == 0 && is_throttled(task)) facts |= SCAN_FACT_THROTTLED;
  return facts;
}

static __always_inline void read_cpu_time(struct ScanTask* row, struct task_struct* task) {
  row->voluntary = task->nvcsw;
  row->ran_ns = 0;
  row->delay_ns = 0;
  if (bpf_core_field_exists(task->se.sum_exec_runtime)) row->ran_ns = task->se.sum_exec_runtime;
  if (bpf_core_field_exists(task->sched_info.run_delay)) row->delay_ns = task->sched_info.run_delay;
}

static __always_inline void describe_facts(struct ScanTask* row, struct task_struct* task) {
  row->facts = facts_of(task);
  row->parent = BPF_CORE_READ(task, real_parent, tgid);
  row->wait = SCAN_WAIT_UNKNOWN;
  row->wait_device = 0;
  row->wait_inode = 0;
  read_cpu_time(row, task);
}

#endif
