// SPDX-License-Identifier: GPL-2.0-only
// Samples every thread of the watched processes: counters that the kernel keeps anyway, so nothing
// is attached to the target's own path and it runs no slower. Task iteration is under RCU; no lock
// of the target is taken.

// The first declares the types of the others.
// clang-format off
#include "harness/probe/kernel_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "harness/probe/target_record.h"
// clang-format on

char LICENSE[] SEC("license") = "GPL";

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define MAX_FD 1048576

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u64);
} sampled_tgids SEC(".maps");

/* What a sleeping thread was like when it was told, and its number among the records of that pass.
 */
struct Told {
  __u64 switches;
  __u64 start;
  __u64 jobctl;
  __u64 pass;
  __u32 state;
  __u32 number;
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, struct Told);
} told SEC(".maps");

/* Set by the reader before each pass: one more, and 0. */
__u64 pass;
__u32 written;

/* Of the task that reads the iterator: on a processor since then, on the scheduler's clock. */
__u64 reader_arrival;

static struct TargetRecord row;
static struct TargetSame same;
static struct Told note;

static __always_inline __u32 kind_of_fd(struct task_struct* task, __u64 fd) {
  struct file** const fds = BPF_CORE_READ(task, files, fdt, fd);
  const __u32 limit = BPF_CORE_READ(task, files, fdt, max_fds);
  if (!fds || fd >= limit || fd >= MAX_FD) return TARGET_FILE_NONE;
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), fds + fd);
  if (!file) return TARGET_FILE_NONE;
  const __u32 type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
  return type == S_IFREG || type == S_IFDIR || type == S_IFBLK ? TARGET_FILE_DATA
                                                               : TARGET_FILE_OTHER;
}

/* The registers it entered the kernel with. While it runs in user mode they are those of its last
 * entry, which for a thread that does little but I/O is its last call. */
static __always_inline void read_call(struct task_struct* task) {
  struct pt_regs* const regs = (struct pt_regs*)bpf_task_pt_regs(task);
  row.call = TARGET_NO_CALL;
  row.call_args = 0;
  row.file = TARGET_FILE_NONE;
  if (!regs) return;
  row.call = (__s64)BPF_CORE_READ(regs, orig_ax);
  if (row.call < 0) return;
  const __u64 first = BPF_CORE_READ(regs, di);
  row.call_args = first + BPF_CORE_READ(regs, si) * 3 + BPF_CORE_READ(regs, dx) * 5 +
                  BPF_CORE_READ(regs, r10) * 7;
  row.file = kind_of_fd(task, first);
}

static __always_inline void read_counters(struct task_struct* task) {
  row.switches = task->nvcsw + task->nivcsw;
  row.faults = task->maj_flt;
  row.user = 0;
  if (bpf_core_field_exists(task->utime)) row.user = task->utime;
  row.calls = 0;
  if (bpf_core_field_exists(task->ioac.syscr)) row.calls = task->ioac.syscr + task->ioac.syscw;
  row.arrival = 0;
  if (bpf_core_field_exists(task->sched_info.last_arrival))
    row.arrival = task->sched_info.last_arrival;
}

/* A thread that has not been switched to since still sleeps where it slept. */
static __always_inline int is_same(const struct task_struct* task, const struct Told* known) {
  return task->__state && task->__state == known->state && task->start_time == known->start &&
         task->nvcsw + task->nivcsw == known->switches && task->jobctl == known->jobctl &&
         known->pass + 1 == pass;
}

static __always_inline void tell_same(struct seq_file* seq, __u32 tid, struct Told* known) {
  same.size = sizeof(same);
  same.before = known->number;
  same.tid = (__s32)tid;
  if (bpf_seq_write(seq, &same, sizeof(same))) return; /* shown again in the next buffer */
  known->number = written++;
  known->pass = pass;
}

static __always_inline void tell(struct seq_file* seq, __u32 tid, int moved) {
  row.size = sizeof(row);
  if (bpf_seq_write(seq, &row, sizeof(row))) return;
  note.switches = row.switches;
  note.start = row.start;
  note.jobctl = row.jobctl;
  note.pass = pass;
  note.state = row.state;
  note.number = written++;
  if (row.state == 0 || moved) return; /* one that runs is told anew every time */
  bpf_map_update_elem(&told, &tid, &note, BPF_ANY);
}

SEC("iter/task")
int sample_target(struct bpf_iter__task* ctx) {
  struct task_struct* task = ctx->task;
  if (!task) {
    struct task_struct* const reader = bpf_get_current_task_btf();
    if (bpf_core_field_exists(reader->sched_info.last_arrival))
      reader_arrival = reader->sched_info.last_arrival;
    return 0;
  }
  __u32 tgid = (__u32)task->tgid;
  if (!bpf_map_lookup_elem(&sampled_tgids, &tgid)) return 0;
  __u32 tid = (__u32)task->pid;
  struct Told* known = bpf_map_lookup_elem(&told, &tid);
  if (known && is_same(task, known)) {
    tell_same(ctx->meta->seq, tid, known);
    return 0;
  }
  row.tid = task->pid;
  row.tgid = task->tgid;
  row.state = task->__state;
  row.flags = task->flags;
  row.jobctl = task->jobctl;
  row.start = task->start_time;
  read_counters(task);
  read_call(task);
  bpf_probe_read_kernel(row.comm, sizeof(row.comm),
                        (const char*)task + bpf_core_field_offset(struct task_struct, comm));
  row.stack_bytes = 0;
  __builtin_memset(row.frames, 0, sizeof(row.frames));
  if (row.state)
    row.stack_bytes = (__s32)bpf_get_task_stack(task, row.frames, sizeof(row.frames), 0);
  /* It ran meanwhile: what was read belongs to two moments. */
  const int moved = row.switches != task->nvcsw + task->nivcsw;
  if (moved) row.stack_bytes = 0;
  tell(ctx->meta->seq, tid, moved);
  return 0;
}
