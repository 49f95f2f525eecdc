/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel stack of a sleeping task tells beside its functions: page faults, and the file
 * system it waits in. One pass over a copy of the stack. */
#ifndef HARNESS_PROBE_SCAN_STACK_BPF_H
#define HARNESS_PROBE_SCAN_STACK_BPF_H

#include "harness/probe/scan_wait.bpf.h"

#define STACK_BYTES 16384 /* THREAD_SIZE, x86_64 without KASAN */
#define STACK_WORDS (STACK_BYTES / 8)
#define USER_MAX 0x0100000000000000ULL /* 57-bit user addresses */
#define PAGE_BYTES 4096

/* Scratch as in scan.bpf.c. */
static struct ScanTask row;
static __u64 stack_words[STACK_WORDS];
/* volatile: see `queue` in scan.bpf.c. */
static volatile struct {
  __u64 mm;
  __u32 words;
  __u32 frame;
} search;

static __always_inline __u64 stack_word(__u32 index) {
  return stack_words[index & (STACK_WORDS - 1)];
}

/* A vm_fault is a pointer to a VMA, followed by an address inside that VMA and the page offset that
 * belongs to that address. Nothing else on a stack satisfies all of it. */
static __always_inline int is_fault(__u32 at, struct ScanFault* out) {
  const __u64 vma = stack_word(at);
  const __u64 address = stack_word(at + bpf_core_field_offset(struct vm_fault, address) / 8);
  if (address >= USER_MAX || address < PAGE_BYTES || (address & (PAGE_BYTES - 1))) return 0;
  const struct vm_area_struct* area = (const void*)vma;
  const __u64 start = BPF_CORE_READ(area, vm_start);
  if (address < start || address >= BPF_CORE_READ(area, vm_end)) return 0;
  const __u64 pgoff = stack_word(at + bpf_core_field_offset(struct vm_fault, pgoff) / 8);
  if (pgoff != BPF_CORE_READ(area, vm_pgoff) + ((address - start) >> 12)) return 0;
  const __u64 mm = (__u64)BPF_CORE_READ(area, vm_mm);
  struct SeenKey contended = {mm, SEEN_MM};
  if (mm != search.mm && !marked(&seen, &contended)) return 0;
  const __u32 offset = bpf_core_field_offset(struct vm_fault, flags);
  const __u32 flags = (__u32)(stack_word(at + offset / 8) >> ((offset & 4) * 8));
  out->mm = mm;
  out->address = address;
  out->pgoff = pgoff;
  out->frame = search.frame;
  out->bits = 0;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_TRIED)) out->bits |= SCAN_FAULT_TRIED;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_ALLOW_RETRY))
    out->bits |= SCAN_FAULT_ALLOW_RETRY;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_RETRY_NOWAIT))
    out->bits |= SCAN_FAULT_NOWAIT;
  if (bpf_core_enum_value_exists(enum fault_flag, FAULT_FLAG_VMA_LOCK) &&
      (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_VMA_LOCK)))
    out->bits |= SCAN_FAULT_VMA_LOCK;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_MKWRITE))
    out->bits |= SCAN_FAULT_MKWRITE;
  if (BPF_CORE_READ(area, vm_file)) out->bits |= SCAN_FAULT_FILE;
  return 1;
}

static __always_inline void note_faulted_file(const struct vm_area_struct* area) {
  const struct file* file = BPF_CORE_READ(area, vm_file);
  if (file) found_inode(BPF_CORE_READ(file, f_inode), SCAN_WAIT_FAULT);
}

/* `at`: a pointer to the task itself, as a wait queue entry keeps it. */
static __always_inline void note_queue_entry(__u32 at) {
  if (bpf_core_type_exists(struct wait_page_queue)) {
    const __u32 up = (bpf_core_field_offset(struct wait_page_queue, wait.private) -
                      bpf_core_field_offset(struct wait_page_queue, folio)) /
                     PTR_BYTES;
    if (at >= up) try_page((const void*)stack_word(at - up));
  }
  if (place.kind && place.kind != SCAN_WAIT_FAULT) return;
  const __u32 down = (bpf_core_field_offset(struct wait_queue_entry, entry) -
                      bpf_core_field_offset(struct wait_queue_entry, private)) /
                     PTR_BYTES;
  try_freeze(stack_word(at + down));
}

static __always_inline void note_place(__u32 at, __u64 word) {
  if (word == place.task)
    note_queue_entry(at);
  else if (bpf_core_field_exists(struct kiocb, ki_complete) &&
           !stack_word(at + bpf_core_field_offset(struct kiocb, ki_complete) / PTR_BYTES))
    try_file((const void*)word);
}

static long stack_step(__u32 at, void* unused) {
  if (at >= search.words) return 1;
  const __u64 word = stack_word(at);
  if (word < KERNEL_MIN) return 0;
  const __u32 frame = search.frame;
  if (frame < SCAN_FRAMES && word == row.frames[frame]) {
    search.frame = frame + 1;
    return 0;
  }
  if (word & 7) return 0;
  const __u32 slot = row.faults & (SCAN_FAULTS - 1);
  if (is_fault(at, &row.fault[slot])) {
    row.faults++;
    if (!place.kind) note_faulted_file((const void*)word);
  }
  /* A page or a freeze is waited for further in than the file that is read. */
  if (!place.kind || place.kind == SCAN_WAIT_FAULT) note_place(at, word);
  return 0;
}

static __always_inline void search_stack(struct task_struct* task) {
  if (!bpf_core_field_exists(task->thread.sp)) return;
  const __u64 stack = (__u64)BPF_CORE_READ(task, stack);
  const __u64 sp = BPF_CORE_READ(task, thread.sp);
  const __u64 used = stack + STACK_BYTES - sp;
  if (sp < stack || used > STACK_BYTES) return;
  search.mm = row.mm;
  search.words = (__u32)(used / 8);
  search.frame = 0;
  place.task = row.task;
  place.kind = 0;
  if (bpf_probe_read_kernel(stack_words, used & (STACK_BYTES - 1), (const void*)sp)) return;
  bpf_loop(search.words, stack_step, 0, 0);
  row.wait = place.kind;
  if (!place.kind) return;
  row.wait_device = place.device;
  row.wait_inode = place.inode;
}

#endif
