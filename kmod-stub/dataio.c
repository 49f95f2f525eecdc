// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a service thread does with a job. For a direct read it copies into the client's memory, for
 * which it takes the client's mmap_lock for read: behind a queued writer, while the client's fault
 * holds that lock and waits for this very thread. That is the reported stall.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "ffs_compat.h"
#include "ffs_stub.h"

struct ffs_counters ffs_counters;

/*
 * Of each mm: page reads that its faults wait for, and service threads that wait for its mmap_lock.
 * Two mms that share a counter can cost a hazard too many.
 */
#define MM_BITS 8
static atomic_t awaited[1 << MM_BITS];
static atomic_t waiting[1 << MM_BITS];

static void count_hazard(void)
{
	atomic64_inc(&ffs_counters.hazards);
}

/*
 * The window in which the circle closes: a service thread waits for the lock of a client whose
 * fault waits for the service. Whichever comes second counts it.
 */
void ffs_page_awaited(struct mm_struct *mm)
{
	u32 index = hash_ptr(mm, MM_BITS);

	atomic_inc(&awaited[index]);
	/* Pairs with the barrier in lock_client(): one of the two sees the other. */
	smp_mb__after_atomic();
	if (atomic_read(&waiting[index]) > 0)
		count_hazard();
}

void ffs_page_arrived(struct mm_struct *mm)
{
	atomic_dec(&awaited[hash_ptr(mm, MM_BITS)]);
}

static bool is_page_awaited(struct mm_struct *mm)
{
	return atomic_read(&awaited[hash_ptr(mm, MM_BITS)]) > 0;
}

/* No frame of its own: in the crash core ffs_get_user_page() itself takes the lock. */
static __always_inline bool lock_client(struct mm_struct *mm)
{
	u32 index = hash_ptr(mm, MM_BITS);

	if (mmap_read_trylock(mm))
		return true;
	atomic_inc(&waiting[index]);
	/* Pairs with the barrier in ffs_page_awaited(): one of the two sees the other. */
	smp_mb__after_atomic();
	if (is_page_awaited(mm))
		count_hazard();
	if (ffs_fix != FFS_FIX_TRYLOCK)
		mmap_read_lock(mm);
	atomic_dec(&waiting[index]);
	return ffs_fix != FFS_FIX_TRYLOCK;
}

/* 0, -EAGAIN when the submitter is to copy itself, or -errno. */
static FFS_FRAME int ffs_get_user_page(struct ffs_job *job, unsigned long address,
				       struct page **page)
{
	long got;

	if (!lock_client(job->mm))
		return -EAGAIN;
	/* A fault on our own mapping would wait for the pool: what the fix promises not to do. */
	if (ffs_fix == FFS_FIX_TRYLOCK && ffs_is_own_mapping(job->mm, address))
		got = -EAGAIN;
	else
		got = ffs_remote_page(job->mm, address, page);
	mmap_read_unlock(job->mm);
	if (got == 1)
		return 0;
	return got < 0 ? got : -EFAULT;
}

static void fill_page(struct page *page, size_t from, u64 offset, size_t length)
{
	void *at = kmap_local_page(page);

	ffs_fill(offset, at + from, length);
	kunmap_local(at);
}

static __always_inline int copy_one_page(struct ffs_job *job, size_t done, size_t part)
{
	unsigned long address = job->buffer + done;
	struct page *page;
	int error;

	if (job->pins) {
		/* Here it would have waited, had it needed the lock. */
		if (rwsem_is_contended(ffs_mmap_rwsem(job->mm)) && is_page_awaited(job->mm))
			count_hazard();
		page = job->pins[(offset_in_page(job->buffer) + done) >> PAGE_SHIFT];
		fill_page(page, offset_in_page(address), job->offset + done, part);
		return 0;
	}
	error = ffs_get_user_page(job, address, &page);
	if (error)
		return error;
	fill_page(page, offset_in_page(address), job->offset + done, part);
	set_page_dirty_lock(page);
	put_page(page);
	return 0;
}

/* Leaves what follows `done` bytes to the submitter, in memory of ours. */
static ssize_t leave_to_submitter(struct ffs_job *job, size_t done)
{
	job->bounce = kvmalloc(job->length - done, GFP_KERNEL);
	if (!job->bounce)
		return -ENOMEM;
	ffs_fill(job->offset + done, job->bounce, job->length - done);
	job->bounce_at = done;
	atomic64_inc(&ffs_counters.self_copies);
	return job->length;
}

static FFS_FRAME ssize_t ffs_copy_to_user(struct ffs_job *job, size_t length)
{
	size_t done = 0;

	while (done < length) {
		size_t in_page = PAGE_SIZE - offset_in_page(job->buffer + done);
		size_t part = min(in_page, length - done);
		int error = copy_one_page(job, done, part);

		if (error == -EAGAIN)
			return leave_to_submitter(job, done);
		if (error)
			return error;
		done += part;
	}
	return done;
}

static FFS_FRAME ssize_t ffs_get_size(struct ffs_job *job)
{
	loff_t left = ffs_file_size - job->offset;

	return ffs_copy_to_user(job, min_t(loff_t, left, job->length));
}

static FFS_FRAME void __direct_read_cb(struct ffs_job *job)
{
	ssize_t result = ffs_get_size(job);

	atomic64_inc(&ffs_counters.direct_reads);
	ofs_answer(job, result);
}

static void page_read_cb(struct ffs_job *job)
{
	fill_page(job->page, 0, job->offset, PAGE_SIZE);
	atomic64_inc(&ffs_counters.page_reads);
	ofs_answer(job, PAGE_SIZE);
}

static FFS_FRAME void dataio_ack(struct ffs_job *job)
{
	if (job->kind == FFS_JOB_PAGE)
		page_read_cb(job);
	else
		__direct_read_cb(job);
}

static FFS_FRAME void segread_end(struct ffs_job *job)
{
	dataio_ack(job);
}

FFS_FRAME void dinode_odc_nr(struct ffs_job *job)
{
	segread_end(job);
}
