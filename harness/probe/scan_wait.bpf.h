/* SPDX-License-Identifier: GPL-2.0-only */
/* What file system a sleeping task waits in, read from what its functions keep on its stack. Each
 * find is proven by a pointer that leads back to where it came from. Nothing is locked. */
#ifndef HARNESS_PROBE_SCAN_WAIT_BPF_H
#define HARNESS_PROBE_SCAN_WAIT_BPF_H

#include "harness/probe/kernel_types.h"
#include "harness/probe/scan_maps.bpf.h"
#include "harness/probe/scan_record.h"

/* With five levels of page tables (Documentation/arch/x86/x86_64/mm.rst); with four it is
 * 0xffff800000000000, below which nothing is mapped: a word more is read, and found not to be. */
#define KERNEL_MIN 0xff00000000000000ULL
#define PTR_BYTES 8
#define FREEZE_LEVELS 3
#define FREEZE_COMPLETE 4 /* SB_FREEZE_COMPLETE, include/linux/fs/super_types.h; 0 is thawed */
#define MAX_FREEZE_WAITERS 24
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFBLK 0060000

/* volatile: see `queue` in scan.bpf.c. */
static volatile struct {
  __u64 task;
  __u64 node;
  __u64 inode;
  __u32 kind;
  __u32 device;
} place;

static __always_inline int is_super_block(const struct super_block* sb) {
  if ((__u64)sb < KERNEL_MIN) return 0;
  const struct dentry* root = BPF_CORE_READ(sb, s_root);
  return (__u64)root >= KERNEL_MIN && BPF_CORE_READ(root, d_sb) == sb;
}

/* Of any other list an entry may have neighbours that look like a super block. */
static __always_inline int is_frozen(const struct super_block* sb) {
  const unsigned short frozen = BPF_CORE_READ(sb, s_writers.frozen);
  return is_super_block(sb) && frozen != 0 && frozen <= FREEZE_COMPLETE;
}

static __always_inline void found_inode(const struct inode* inode, __u32 kind) {
  const struct super_block* sb = BPF_CORE_READ(inode, i_sb);
  if (!is_super_block(sb)) return;
  const __u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
  place.kind = kind;
  place.device = type == S_IFBLK ? BPF_CORE_READ(inode, i_rdev) : BPF_CORE_READ(sb, s_dev);
  place.inode = BPF_CORE_READ(inode, i_ino);
}

/* folio_wait_bit_common keeps a wait_page_queue (mm/filemap.c, 5.16 to 6.18). */
static __always_inline void try_page(const struct folio* folio) {
  if ((__u64)folio < KERNEL_MIN || (__u64)folio & 7) return;
  const struct address_space* mapping = BPF_CORE_READ(folio, mapping);
  if ((__u64)mapping < KERNEL_MIN || (__u64)mapping & 3) return;
  const struct inode* inode = BPF_CORE_READ(mapping, host);
  if ((__u64)inode < KERNEL_MIN) return;
  found_inode(inode, SCAN_WAIT_PAGE);
}

/* One more entry of the list that the waiter hangs in: is it the head inside a super block? */
static long freeze_step(__u32 step, void* unused) {
  const __u64 node = place.node;
  if (node < KERNEL_MIN || node & 7) return 1;
  __u64 sem = node - bpf_core_field_offset(struct percpu_rw_semaphore, waiters.head);
  const __u64 first = bpf_core_field_offset(struct super_block, s_writers.rw_sem);
  for (int level = 0; level < FREEZE_LEVELS; ++level) {
    const struct super_block* sb = (const void*)(sem - first);
    if (is_frozen(sb)) {
      place.kind = SCAN_WAIT_FREEZE;
      place.device = BPF_CORE_READ(sb, s_dev);
      place.inode = 0;
      return 1;
    }
    sem -= bpf_core_type_size(struct percpu_rw_semaphore);
  }
  __u64 next = 0;
  bpf_probe_read_kernel(&next, sizeof(next), (const void*)node);
  place.node = next;
  return 0;
}

/* percpu_rwsem_wait keeps a wait queue entry (kernel/locking/percpu-rwsem.c, 5.7 to 6.18). */
static __always_inline void try_freeze(__u64 next) {
  if (!bpf_core_field_exists(struct super_block, s_writers) ||
      !bpf_core_field_exists(struct percpu_rw_semaphore, waiters))
    return;
  place.node = next;
  bpf_loop(MAX_FREEZE_WAITERS, freeze_step, 0, 0);
}

/* new_sync_read and the like keep a kiocb; without a completion function it is a synchronous one
 * (fs/read_write.c, 4.1 to 6.18). */
static __always_inline void try_file(const struct file* file) {
  const struct inode* inode = BPF_CORE_READ(file, f_inode);
  if ((__u64)inode < KERNEL_MIN || (__u64)inode & 7) return;
  const __u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
  if (type == S_IFREG || type == S_IFBLK) found_inode(inode, SCAN_WAIT_FILE);
}

#endif
