/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ffs_stub: the data path of the reported stall, and nothing else of a file system. A client maps
 * /dev/ffs (a fault holds its mmap_lock for read and waits for the service) and reads it directly
 * (the service takes the client's mmap_lock for read to copy). Function names and call order are
 * those of the crash core.
 */
#ifndef FFS_STUB_H
#define FFS_STUB_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* A function that is to be seen in a stack under its own name. */
#define FFS_FRAME noinline __noclone notrace

enum ffs_fix {
	FFS_FIX_NONE,
	FFS_FIX_PIN_IN_SUBMITTER, /* the service never takes a client's mmap_lock */
	FFS_FIX_FAULT_RETRY, /* a fault gives its mmap_lock up before it waits */
	FFS_FIX_SEPARATE_POOL, /* page reads have threads of their own */
	FFS_FIX_TRYLOCK, /* the service never waits for a client's mmap_lock */
};

extern enum ffs_fix ffs_fix;
extern loff_t ffs_file_size;

struct ffs_counters {
	atomic64_t page_reads; /* pages that the service read for a fault */
	atomic64_t direct_reads; /* jobs of direct reads it served */
	atomic64_t hazards; /* was to wait for the lock of a client that awaited a page */
	atomic64_t self_copies; /* direct reads that the submitter copied itself (trylock) */
	atomic64_t failed; /* jobs answered with an error */
};

extern struct ffs_counters ffs_counters;

enum ffs_job_kind {
	FFS_JOB_PAGE,
	FFS_JOB_DIRECT,
};

/**
 * struct ffs_job - what a client waits for; lives on the client's stack until it is answered
 * @link: in its queue while not yet taken by a service thread
 * @kind: page read of a fault, or direct read
 * @offset: in the file, bytes
 * @length: bytes, already cut at the end of the file
 * @mm: of the client, who waits uninterruptibly and so keeps it
 * @buffer: direct: address in @mm
 * @pins: direct, fix pin-in-submitter: the pages of @buffer, else NULL
 * @bounce: direct, fix trylock: data that the client copies from @bounce_at on, and frees
 * @bounce_at: direct: bytes that the service itself has copied
 * @page: page: where the data goes
 * @result: bytes, or -errno; valid when @done
 * @waiter: the client, referenced until it is woken
 * @done: set last
 */
struct ffs_job {
	struct list_head link;
	enum ffs_job_kind kind;
	loff_t offset;
	size_t length;
	struct mm_struct *mm;
	unsigned long buffer;
	struct page **pins;
	void *bounce;
	size_t bounce_at;
	struct page *page;
	ssize_t result;
	struct task_struct *waiter;
	bool done;
};

/* ofs_tpool.c: threads and their queues. */
int ofs_tpools_start(unsigned int threads, bool by_segment, unsigned int segment_bytes);
void ofs_tpools_stop(void);
int ofs_submit(struct ffs_job *job);
void ofs_answer(struct ffs_job *job, ssize_t result);
bool ofs_answered(const struct ffs_job *job);

/* Inlined, so that the stack shows who waits. Ends with the answer or an abort, with no signal. */
static __always_inline void ffs_await_answer(const struct ffs_job *job)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (ofs_answered(job))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

void ofs_abort(bool aborted);
bool ofs_is_aborted(void);
struct seq_file;
void ofs_show_jobs(struct seq_file *out);

/* dataio.c: what a service thread does with a job. */
void dinode_odc_nr(struct ffs_job *job);
void ffs_page_awaited(struct mm_struct *mm);
void ffs_page_arrived(struct mm_struct *mm);

/* ffs_content.c: what the file holds. */
void ffs_fill(u64 offset, void *into, size_t length);

/* ffs_fault.c: the mapping. */
int ffs_mmap(struct file *file, struct vm_area_struct *vma);
bool ffs_is_own_mapping(struct mm_struct *mm, unsigned long address);

/**
 * struct ffs_open - one open file
 * @lock: of @stashed
 * @stashed: pages read while a fault had given its lock up, for the task's second try
 */
struct ffs_open {
	spinlock_t lock;
	struct list_head stashed;
};

void ffs_drop_stashed(struct ffs_open *open);

/* ffs_file.c: the device. */
int ffs_file_register(void);
void ffs_file_unregister(void);

/* ffs_debugfs.c: /sys/kernel/debug/ffs_stub. */
void ffs_debugfs_create(void);
void ffs_debugfs_remove(void);

#endif
