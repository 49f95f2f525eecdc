// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service's threads and their job queues. In the crash core one thread was idle while the
 * others stood behind the lock: a job is bound to one thread. So by default each thread has its own
 * queue, chosen by the segment of the file; with queues=shared all threads take from one.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "ffs_stub.h"

struct ofs_tjobq {
	spinlock_t lock;
	struct list_head jobs;
	wait_queue_head_t filled;
};

/* What a thread serves, for the jobs file: its job may be gone. tid 0: nothing. */
struct ofs_served {
	enum ffs_job_kind kind;
	loff_t offset;
	pid_t tid;
};

struct ofs_thread {
	struct ofs_tjobq *queue;
	struct task_struct *task;
	struct ofs_served serving; /* under the queue's lock */
};

struct ofs_tpool {
	const char *name;
	unsigned int threads, queues;
	struct ofs_tjobq *queue;
	struct ofs_thread *thread;
};

static struct ofs_tpool data_pool = { .name = "dataio_srv" };
static struct ofs_tpool page_pool = { .name = "dataio_pg" };
static unsigned int segment_size;
static bool aborted;

static FFS_FRAME void ofs_tjobq_timedwait_locked(struct ofs_tjobq *queue, long timeout)
	__must_hold(&queue->lock)
{
	DEFINE_WAIT(wait);

	prepare_to_wait_exclusive(&queue->filled, &wait, TASK_INTERRUPTIBLE);
	spin_unlock(&queue->lock);
	if (!kthread_should_stop())
		schedule_timeout(timeout);
	finish_wait(&queue->filled, &wait);
	spin_lock(&queue->lock);
}

/* The oldest job; NULL when none came within a second or the thread is to stop. */
static FFS_FRAME struct ffs_job *ofs_tjobq_purge(struct ofs_thread *thread)
{
	struct ofs_tjobq *queue = thread->queue;
	struct ffs_job *job;

	spin_lock(&queue->lock);
	thread->serving.tid = 0;
	if (list_empty(&queue->jobs))
		ofs_tjobq_timedwait_locked(queue, HZ);
	job = list_first_entry_or_null(&queue->jobs, struct ffs_job, link);
	if (job) {
		list_del_init(&job->link);
		thread->serving.kind = job->kind;
		thread->serving.offset = job->offset;
		thread->serving.tid = job->waiter->pid;
	}
	spin_unlock(&queue->lock);
	return job;
}

static FFS_FRAME void dataio_srv_tcb(struct ofs_thread *thread)
{
	while (!kthread_should_stop()) {
		struct ffs_job *job = ofs_tjobq_purge(thread);

		if (job)
			dinode_odc_nr(job);
	}
}

static FFS_FRAME void ofs_tpool_tcb(struct ofs_thread *thread)
{
	dataio_srv_tcb(thread);
}

static FFS_FRAME int ofs_daemon_proxy(void *thread)
{
	ofs_tpool_tcb(thread);
	return 0;
}

bool ofs_answered(const struct ffs_job *job)
{
	/* Pairs with the release in ofs_answer(): done is seen, so the result is. */
	return smp_load_acquire(&job->done);
}

/* The job is its client's again, and may be gone, as soon as done is set. */
void ofs_answer(struct ffs_job *job, ssize_t result)
{
	struct task_struct *waiter = job->waiter;

	if (result < 0)
		atomic64_inc(&ffs_counters.failed);
	job->result = result;
	/* The result before done; pairs with the acquire in ofs_answered(). */
	smp_store_release(&job->done, true);
	wake_up_process(waiter);
	put_task_struct(waiter);
}

static struct ofs_tjobq *queue_for(const struct ffs_job *job)
{
	bool paged = job->kind == FFS_JOB_PAGE && ffs_fix == FFS_FIX_SEPARATE_POOL;
	struct ofs_tpool *pool = paged ? &page_pool : &data_pool;
	u64 segment = div_u64(job->offset, segment_size);
	u32 index;

	div_u64_rem(segment, pool->queues, &index);
	return &pool->queue[index];
}

/* After 0 the caller waits until ofs_answered(), whatever signal comes. */
int ofs_submit(struct ffs_job *job)
{
	struct ofs_tjobq *queue = queue_for(job);

	job->waiter = current;
	job->mm = current->mm;
	job->done = false;
	spin_lock(&queue->lock);
	if (READ_ONCE(aborted)) {
		spin_unlock(&queue->lock);
		return -EIO;
	}
	get_task_struct(current);
	list_add_tail(&job->link, &queue->jobs);
	spin_unlock(&queue->lock);
	wake_up(&queue->filled);
	return 0;
}

static void answer_all(struct ofs_tpool *pool, ssize_t result)
{
	unsigned int i;

	for (i = 0; i < pool->queues; i++) {
		struct ofs_tjobq *queue = &pool->queue[i];
		struct ffs_job *job, *next;
		LIST_HEAD(taken);

		spin_lock(&queue->lock);
		list_splice_init(&queue->jobs, &taken);
		spin_unlock(&queue->lock);
		list_for_each_entry_safe(job, next, &taken, link)
			ofs_answer(job, result);
	}
}

/*
 * Fails what is queued and what comes, as aborting a FUSE connection does, or ends that. Whoever
 * submits meanwhile either sees the flag or has queued before answer_all() takes the queue's lock.
 */
void ofs_abort(bool abort)
{
	WRITE_ONCE(aborted, abort);
	if (abort) {
		answer_all(&page_pool, -EIO);
		answer_all(&data_pool, -EIO);
	}
}

bool ofs_is_aborted(void)
{
	return READ_ONCE(aborted);
}

static void show_job(struct seq_file *out, const char *state, enum ffs_job_kind kind, loff_t offset,
		     pid_t tid)
{
	seq_printf(out, "  %s %s at %lld for %d\n", state, kind == FFS_JOB_PAGE ? "page" : "direct",
		   offset, tid);
}

static void show_pool(struct seq_file *out, struct ofs_tpool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->threads; i++) {
		struct ofs_thread *thread = &pool->thread[i];
		struct ofs_tjobq *queue = thread->queue;
		struct ffs_job *job;

		seq_printf(out, "%s/%u %d\n", pool->name, i, thread->task->pid);
		spin_lock(&queue->lock);
		if (thread->serving.tid)
			show_job(out, "serves", thread->serving.kind, thread->serving.offset,
				 thread->serving.tid);
		/* A shared queue is shown once, with its first thread. */
		if (pool->queues > 1 || i == 0)
			list_for_each_entry(job, &queue->jobs, link)
				show_job(out, "queued", job->kind, job->offset, job->waiter->pid);
		spin_unlock(&queue->lock);
	}
}

void ofs_show_jobs(struct seq_file *out)
{
	show_pool(out, &data_pool);
	show_pool(out, &page_pool);
}

static void stop_pool(struct ofs_tpool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->threads; i++)
		if (pool->thread[i].task)
			kthread_stop(pool->thread[i].task);
	answer_all(pool, -ESHUTDOWN);
	kfree(pool->thread);
	kfree(pool->queue);
	pool->threads = pool->queues = 0;
}

static int start_pool(struct ofs_tpool *pool, unsigned int threads, bool by_segment)
{
	unsigned int i;

	pool->queue = kcalloc(by_segment ? threads : 1, sizeof(*pool->queue), GFP_KERNEL);
	pool->thread = kcalloc(threads, sizeof(*pool->thread), GFP_KERNEL);
	if (!pool->queue || !pool->thread)
		goto no_memory;
	pool->queues = by_segment ? threads : 1;
	for (i = 0; i < pool->queues; i++) {
		spin_lock_init(&pool->queue[i].lock);
		INIT_LIST_HEAD(&pool->queue[i].jobs);
		init_waitqueue_head(&pool->queue[i].filled);
	}
	for (i = 0; i < threads; i++) {
		struct ofs_thread *thread = &pool->thread[i];
		struct task_struct *task;

		thread->queue = &pool->queue[i % pool->queues];
		task = kthread_run(ofs_daemon_proxy, thread, "%s/%u", pool->name, i);
		if (IS_ERR(task)) {
			pool->threads = i;
			stop_pool(pool);
			return PTR_ERR(task);
		}
		thread->task = task;
		pool->threads = i + 1;
	}
	return 0;

no_memory:
	kfree(pool->queue);
	kfree(pool->thread);
	return -ENOMEM;
}

int ofs_tpools_start(unsigned int threads, bool by_segment, unsigned int segment_bytes)
{
	int error;

	segment_size = segment_bytes;
	error = start_pool(&data_pool, threads, by_segment);
	if (error || ffs_fix != FFS_FIX_SEPARATE_POOL)
		return error;
	error = start_pool(&page_pool, threads, by_segment);
	if (error)
		stop_pool(&data_pool);
	return error;
}

void ofs_tpools_stop(void)
{
	stop_pool(&page_pool);
	stop_pool(&data_pool);
}
