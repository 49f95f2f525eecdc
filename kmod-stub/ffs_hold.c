// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding a lock of a chosen kind, each by a kernel thread of its own, until it is released, its
 * time is over or the module goes. The holder itself never waits uninterruptibly for a lock, so it
 * can always be stopped.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "ffs_compat.h"
#include "ffs_gate.h"
#include "ffs_stub.h"

#define ACQUIRE_SECONDS	 5
#define MAX_SECONDS	 3600
#define MAX_SPIN_SECONDS 60

const char *const ffs_kind_name[FFS_KINDS] = {
	[FFS_MMAP_READ] = "mmap_read",
	[FFS_MMAP_WRITE] = "mmap_write",
	[FFS_RWSEM_READ] = "rwsem_read",
	[FFS_RWSEM_WRITE] = "rwsem_write",
	[FFS_MUTEX] = "mutex",
	[FFS_SEMAPHORE] = "semaphore",
	[FFS_COMPLETION] = "completion",
	[FFS_SLEEP] = "sleep",
	[FFS_SPIN] = "spin",
};

struct ffs_holder {
	struct task_struct *task; /* NULL: nothing is held */
	struct mm_struct *mm; /* of the mmap kinds, referenced */
	unsigned int seconds;
	struct completion acquired;
	int error; /* of acquiring */
	bool held;
};

static struct ffs_holder holders[FFS_KINDS];
static DEFINE_MUTEX(holders_lock);

static bool try_acquire(enum ffs_kind kind, struct mm_struct *mm)
{
	switch (kind) {
	case FFS_MMAP_READ:
		return mmap_read_trylock(mm);
	case FFS_MMAP_WRITE:
		return ffs_mmap_write_trylock(mm);
	case FFS_RWSEM_READ:
		return down_read_trylock(&ffs_rwsem);
	case FFS_RWSEM_WRITE:
		return down_write_trylock(&ffs_rwsem);
	case FFS_MUTEX:
		return mutex_trylock(&ffs_mutex);
	case FFS_SEMAPHORE:
		return !down_trylock(&ffs_semaphore);
	case FFS_COMPLETION:
		reinit_completion(&ffs_completion);
		return true;
	default:
		return true;
	}
}

static void give_back(enum ffs_kind kind, struct mm_struct *mm)
{
	switch (kind) {
	case FFS_MMAP_READ:
		mmap_read_unlock(mm);
		break;
	case FFS_MMAP_WRITE:
		mmap_write_unlock(mm);
		break;
	case FFS_RWSEM_READ:
		up_read(&ffs_rwsem);
		break;
	case FFS_RWSEM_WRITE:
		up_write(&ffs_rwsem);
		break;
	case FFS_MUTEX:
		mutex_unlock(&ffs_mutex);
		break;
	case FFS_SEMAPHORE:
		up(&ffs_semaphore);
		break;
	case FFS_COMPLETION:
		complete_all(&ffs_completion);
		break;
	case FFS_SLEEP:
		wake_up_all(&ffs_sleepers);
		break;
	default:
		break;
	}
}

static int acquire(enum ffs_kind kind, struct mm_struct *mm)
{
	unsigned long deadline = jiffies + ACQUIRE_SECONDS * HZ;

	while (!try_acquire(kind, mm)) {
		if (kthread_should_stop())
			return -EINTR;
		if (time_after(jiffies, deadline))
			return -ETIMEDOUT;
		usleep_range(50, 200);
	}
	return 0;
}

static void wait_for_end(enum ffs_kind kind, unsigned int seconds)
{
	unsigned long deadline = jiffies + seconds * HZ;
	/* What is held is to be seen as blocked in `sleep`, and not reported for the others. */
	long state = kind == FFS_SLEEP ? TASK_UNINTERRUPTIBLE : TASK_INTERRUPTIBLE;

	for (;;) {
		set_current_state(state);
		if (kthread_should_stop() || time_after_eq(jiffies, deadline))
			break;
		schedule_timeout(deadline - jiffies);
	}
	__set_current_state(TASK_RUNNING);
}

/* Keeps its processor from everybody else: a soft lockup. */
static FFS_FRAME void ffs_hold_processor(unsigned int seconds)
{
	u64 deadline;

	/* Whoever asked for it may wait for this very processor: let it go first. */
	msleep(20);
	deadline = ktime_get_ns() + (u64)seconds * NSEC_PER_SEC;
	preempt_disable();
	while (!kthread_should_stop() && ktime_get_ns() < deadline)
		cpu_relax();
	preempt_enable();
}

static void sleep_until_stopped(void)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

static void drop_mm(struct ffs_holder *holder)
{
	if (holder->mm)
		mmput(holder->mm);
	holder->mm = NULL;
}

static FFS_FRAME int ffs_hold_thread(void *argument)
{
	struct ffs_holder *holder = argument;
	enum ffs_kind kind = holder - holders;

	holder->error = acquire(kind, holder->mm);
	if (!holder->error) {
		ffs_gate_set(kind, true);
		WRITE_ONCE(holder->held, true);
		complete(&holder->acquired);
		if (kind == FFS_SPIN)
			ffs_hold_processor(holder->seconds);
		else
			wait_for_end(kind, holder->seconds);
		ffs_gate_set(kind, false);
		give_back(kind, holder->mm);
		drop_mm(holder);
		WRITE_ONCE(holder->held, false);
	} else {
		complete(&holder->acquired);
	}
	sleep_until_stopped();
	return 0;
}

/* holders_lock is held. */
static void stop_holder(struct ffs_holder *holder)
{
	if (!holder->task)
		return;
	kthread_stop(holder->task);
	holder->task = NULL;
	drop_mm(holder);
}

static int find_mm(int id, struct mm_struct **mm)
{
	struct pid *pid = find_get_pid(id);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	put_pid(pid);
	if (!task)
		return -ESRCH;
	*mm = get_task_mm(task);
	put_task_struct(task);
	return *mm ? 0 : -EINVAL;
}

static int start_holder(enum ffs_kind kind)
{
	struct ffs_holder *holder = &holders[kind];
	struct task_struct *task;

	init_completion(&holder->acquired);
	task = kthread_create(ffs_hold_thread, holder, "hold/%s", ffs_kind_name[kind]);
	if (IS_ERR(task)) {
		drop_mm(holder);
		return PTR_ERR(task);
	}
	holder->task = task;
	/* Who is to see it stays off that processor: taskset. */
	if (kind == FFS_SPIN)
		kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	wait_for_completion(&holder->acquired);
	if (holder->error)
		stop_holder(holder);
	return holder->error;
}

/* Returns when the lock is held. pid: of the mmap kinds; seconds 0: as long as allowed. */
int ffs_hold(enum ffs_kind kind, int pid, unsigned int seconds)
{
	struct ffs_holder *holder = &holders[kind];
	unsigned int most = kind == FFS_SPIN ? MAX_SPIN_SECONDS : MAX_SECONDS;
	int error = 0;

	if (seconds > most)
		return -EINVAL;
	mutex_lock(&holders_lock);
	if (READ_ONCE(holder->held)) {
		error = -EBUSY;
		goto out;
	}
	stop_holder(holder);
	if (kind <= FFS_MMAP_WRITE)
		error = find_mm(pid, &holder->mm);
	holder->seconds = seconds ? seconds : most;
	if (!error)
		error = start_holder(kind);
out:
	mutex_unlock(&holders_lock);
	return error;
}

void ffs_release(enum ffs_kind kind)
{
	mutex_lock(&holders_lock);
	stop_holder(&holders[kind]);
	mutex_unlock(&holders_lock);
}

void ffs_release_all(void)
{
	enum ffs_kind kind;

	for (kind = 0; kind < FFS_KINDS; kind++)
		ffs_release(kind);
}

void ffs_show_hold(struct seq_file *out, enum ffs_kind kind)
{
	struct ffs_holder *holder = &holders[kind];

	mutex_lock(&holders_lock);
	if (READ_ONCE(holder->held))
		seq_printf(out, "held by %d for at most %u s\n", holder->task->pid,
			   holder->seconds);
	else
		seq_puts(out, "free\n");
	mutex_unlock(&holders_lock);
}
