// SPDX-License-Identifier: GPL-2.0-only
// Sends each call by which one process changes its memory map. Attached to the
// end of system calls alone: the registers still hold the arguments there. While it is attached
// every call of the machine takes the kernel's slower way out and one comparison.

// The first declares the types of the others.
// clang-format off
#include "harness/probe/kernel_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "harness/probe/map_event.h"
// clang-format on

char LICENSE[] SEC("license") = "GPL";

/* <asm/unistd_64.h>: the numbers of a 64-bit call. */
#define NR_MMAP 9
#define NR_MPROTECT 10
#define NR_MUNMAP 11
#define NR_BRK 12
#define NR_MREMAP 25
#define NR_MADVISE 28
#define TS_COMPAT 2 /* <asm/thread_info.h>: it is in a 32-bit call */

const volatile __u32 traced_tgid = 0;
__u64 lost_events = 0;
__u64 failed_calls = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 32 << 20);
} map_events SEC(".maps");

static __always_inline int is_traced(void) {
  return bpf_get_current_pid_tgid() >> 32 == traced_tgid;
}

static __always_inline struct MapEvent* new_event(__u32 kind) {
  struct MapEvent* event = bpf_ringbuf_reserve(&map_events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&lost_events, 1);
    return 0;
  }
  __builtin_memset(event, 0, sizeof(*event));
  event->time_ns = bpf_ktime_get_ns();
  event->kind = kind;
  event->tid = (__u32)bpf_get_current_pid_tgid();
  return event;
}

/* The reader looks by itself: waking it would be paid by the traced thread. */
static __always_inline void send(struct MapEvent* event) {
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* The registers a call was made with are still there when it returns (x86-64: all but ax). */
static __always_inline void fill_call(struct MapEvent* event, const struct pt_regs* regs,
                                      long result) {
  event->address = regs->di;
  event->length = regs->si;
  switch (event->kind) {
    case MAP_EVENT_MMAP:
      event->address = (__u64)result;
      event->prot = (__u32)regs->dx;
      event->flags = regs->r10;
      break;
    case MAP_EVENT_MPROTECT:
      event->prot = (__u32)regs->dx;
      break;
    case MAP_EVENT_MADVISE:
      event->flags = regs->dx;
      break;
    case MAP_EVENT_BRK:
      event->length = 0;
      break;
    case MAP_EVENT_MREMAP:
      event->from_address = regs->di;
      event->from_length = regs->si;
      event->address = (__u64)result;
      event->length = regs->dx;
      event->flags = regs->r10;
      break;
  }
}

/* -1: none of those that are sent. */
static __always_inline int kind_of(long number) {
  switch (number) {
    case NR_MMAP:
      return MAP_EVENT_MMAP;
    case NR_MPROTECT:
      return MAP_EVENT_MPROTECT;
    case NR_MUNMAP:
      return MAP_EVENT_MUNMAP;
    case NR_BRK:
      return MAP_EVENT_BRK;
    case NR_MREMAP:
      return MAP_EVENT_MREMAP;
    case NR_MADVISE:
      return MAP_EVENT_MADVISE;
  }
  return -1;
}

/* A refused brk gives the old end, and brk(0) only asks: neither is a call that changed anything.
 */
static __always_inline int is_failed(int kind, const struct pt_regs* regs, long result) {
  return kind == MAP_EVENT_BRK ? (__u64)result != regs->di : result < 0 && result > -4096;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(trace_calls, struct pt_regs* regs, long result) {
  if (!is_traced()) return 0;
  const int kind = kind_of((long)regs->orig_ax);
  if (kind < 0) return 0;
  struct task_struct* const task = bpf_get_current_task_btf();
  if (task->thread_info.status & TS_COMPAT) return 0;
  if (is_failed(kind, regs, result)) {
    if (kind != MAP_EVENT_BRK) __sync_fetch_and_add(&failed_calls, 1);
    return 0;
  }
  struct MapEvent* event = new_event((__u32)kind);
  if (!event) return 0;
  fill_call(event, regs, result);
  send(event);
  return 0;
}

/* In the parent, before the child runs: its calls come after its birth. */
SEC("tp_btf/task_newtask")
int BPF_PROG(trace_clone, struct task_struct* child, __u64 flags) {
  if (!is_traced()) return 0;
  struct MapEvent* event = new_event(MAP_EVENT_CLONE);
  if (!event) return 0;
  event->child = (__u32)child->pid;
  event->flags = flags;
  send(event);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(trace_exit) {
  if (!is_traced()) return 0;
  struct MapEvent* event = new_event(MAP_EVENT_EXIT);
  if (event) send(event);
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(trace_exec, struct task_struct* task) {
  const int itself = is_traced();
  if (!itself && (__u32)task->real_parent->tgid != traced_tgid) return 0;
  struct MapEvent* event = new_event(itself ? MAP_EVENT_EXEC : MAP_EVENT_OTHER_EXEC);
  if (!event) return 0;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  send(event);
  return 0;
}
