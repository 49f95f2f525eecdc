/* SPDX-License-Identifier: GPL-2.0-only */
/* The few kernel fields the scans read. Names only: CO-RE finds the offsets in the running kernel's
 * own BTF, so neither the build nor the binary depends on one kernel. */
#ifndef HARNESS_PROBE_KERNEL_TYPES_H
#define HARNESS_PROBE_KERNEL_TYPES_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
  struct list_head *next, *prev;
};
typedef struct {
  long counter;
} kernel_atomic_long_t;
typedef struct {
  int counter;
} kernel_atomic_t;

struct rw_semaphore {
  kernel_atomic_long_t count;
  kernel_atomic_long_t owner;
  struct list_head wait_list;
};
enum rwsem_waiter_type { RWSEM_WAITING_FOR_WRITE, RWSEM_WAITING_FOR_READ };
struct rwsem_waiter {
  struct list_head list;
  struct task_struct* task;
  enum rwsem_waiter_type type;
};

/* Mainline after 6.19 keeps only the first waiter; the waiters still form a ring. */
struct rw_semaphore___first {
  struct rwsem_waiter* first_waiter;
};
struct mutex {
  kernel_atomic_long_t owner;
  struct list_head wait_list;
};
struct mutex_waiter {
  struct list_head list;
  struct task_struct* task;
};

struct mm_struct {
  struct rw_semaphore mmap_lock;
};
struct dentry;
struct file;
struct inode;
struct address_space {
  struct inode* host;
};
struct folio {
  struct address_space* mapping;
};
struct wait_queue_entry {
  unsigned int flags;
  void* private;
  struct list_head entry;
};
struct wait_page_queue {
  struct folio* folio;
  struct wait_queue_entry wait;
};
struct wait_queue_head {
  struct list_head head;
};
struct percpu_rw_semaphore {
  struct wait_queue_head waiters;
};
struct sb_writers {
  unsigned short frozen; /* an int before 6.6: little endian, and at most 4 */
  struct percpu_rw_semaphore rw_sem[3];
};
struct super_block {
  unsigned int s_dev;
  struct dentry* s_root;
  struct sb_writers s_writers;
};
struct dentry {
  struct super_block* d_sb;
};
struct kiocb {
  struct file* ki_filp;
  void* ki_complete;
};
struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
  struct mm_struct* vm_mm;
  unsigned long vm_pgoff;
  struct file* vm_file;
};
enum fault_flag {
  FAULT_FLAG_ALLOW_RETRY = 1 << 2,
  FAULT_FLAG_RETRY_NOWAIT = 1 << 3,
  FAULT_FLAG_MKWRITE = 1 << 1,
  FAULT_FLAG_TRIED = 1 << 5,
  FAULT_FLAG_VMA_LOCK = 1 << 12,
};
struct vm_fault {
  struct vm_area_struct* vma;
  unsigned long pgoff;
  unsigned long address;
  enum fault_flag flags;
};

struct thread_info {
  __u32 status;
};
struct thread_struct {
  unsigned long sp;
};
struct task_io_accounting {
  __u64 syscr;
  __u64 syscw;
};
struct sched_info {
  unsigned long long run_delay;
  unsigned long long last_arrival;
};
struct cfs_rq {
  int throttle_count;
};
struct sched_entity {
  __u64 sum_exec_runtime;
  struct cfs_rq* cfs_rq;
};
struct pt_regs {
  unsigned long r10;
  unsigned long dx;
  unsigned long si;
  unsigned long di;
  unsigned long orig_ax;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
struct task_struct {
  struct thread_info thread_info;
  unsigned int __state;
  void* stack;
  unsigned int flags;
  struct sched_entity se;
  unsigned int in_execve : 1;
  _Bool throttled;
  struct mm_struct* mm;
  int pid;
  int tgid;
  struct task_struct* real_parent;
  __u64 utime;
  unsigned long nvcsw;
  unsigned long nivcsw;
  char comm[16];
  unsigned long blocker;
  unsigned long jobctl;
  __u64 start_time;
  unsigned long maj_flt;
  struct task_io_accounting ioac;
  struct sched_info sched_info;
  struct files_struct* files;
  struct thread_struct thread;
};

struct pid_namespace {
  unsigned int level;
};
struct inode {
  unsigned short i_mode;
  struct super_block* i_sb;
  struct address_space* i_mapping;
  unsigned long i_ino;
  unsigned int i_rdev;
};
struct file {
  struct inode* f_inode;
  void* private_data;
};
struct fuse_iqueue {
  struct list_head pending;
};
struct fuse_pqueue {
  struct list_head* processing;
  struct list_head io;
};
struct fuse_ring;
struct fuse_conn {
  struct pid_namespace* pid_ns;
  struct fuse_iqueue iq;
  struct list_head bg_queue;
  kernel_atomic_t num_waiting;
  unsigned int dev;
  struct fuse_ring* ring;
};
struct fuse_dev {
  struct fuse_conn* fc;
  struct fuse_pqueue pq;
};
struct fuse_in_header {
  __u32 opcode;
  __u64 unique;
  __u32 pid;
};
struct fuse_req {
  struct list_head list;
  struct {
    struct fuse_in_header h;
  } in;
  unsigned long create_time;
};

struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
};
struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
};
struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct file* file;
};

#pragma clang attribute pop

#endif
