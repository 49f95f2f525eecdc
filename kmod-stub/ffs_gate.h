/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FFS_GATE_H
#define FFS_GATE_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>
#include <linux/wait.h>

/*
 * What can be held (ffs_hold.c). All but the mmap_locks and spin have a gate, a lock that every
 * read of the device passes through while the kind is held, and so waits for.
 */
enum ffs_kind {
	FFS_MMAP_READ,
	FFS_MMAP_WRITE,
	FFS_RWSEM_READ,
	FFS_RWSEM_WRITE,
	FFS_MUTEX,
	FFS_SEMAPHORE,
	FFS_COMPLETION,
	FFS_SLEEP,
	FFS_SPIN,
	FFS_KINDS,
};

extern struct rw_semaphore ffs_rwsem;
extern struct mutex ffs_mutex;
extern struct semaphore ffs_semaphore;
extern struct completion ffs_completion;
extern wait_queue_head_t ffs_sleepers;

void ffs_pass_gates(void);
void ffs_gate_set(enum ffs_kind kind, bool closed);
bool ffs_gate_is_closed(enum ffs_kind kind);

/* ffs_hold.c */
extern const char *const ffs_kind_name[FFS_KINDS];
int ffs_hold(enum ffs_kind kind, int pid, unsigned int seconds);
void ffs_release(enum ffs_kind kind);
void ffs_release_all(void);
struct seq_file;
void ffs_show_hold(struct seq_file *out, enum ffs_kind kind);

#endif
