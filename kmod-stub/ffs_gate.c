// SPDX-License-Identifier: GPL-2.0-only
/* The client's side of a held lock: every read of the device takes each closed gate once. */
#include <linux/bitops.h>
#include <linux/sched.h>
#include "ffs_compat.h"
#include "ffs_gate.h"
#include "ffs_stub.h"

DECLARE_RWSEM(ffs_rwsem);
DEFINE_MUTEX(ffs_mutex);
FFS_DEFINE_SEMAPHORE(ffs_semaphore);
DECLARE_COMPLETION(ffs_completion);
DECLARE_WAIT_QUEUE_HEAD(ffs_sleepers);

static unsigned long closed_gates;

void ffs_gate_set(enum ffs_kind kind, bool closed)
{
	if (closed)
		set_bit(kind, &closed_gates);
	else
		clear_bit(kind, &closed_gates);
}

bool ffs_gate_is_closed(enum ffs_kind kind)
{
	return test_bit(kind, &closed_gates);
}

static FFS_FRAME void ffs_wait_rwsem_write(void)
{
	down_write(&ffs_rwsem);
	up_write(&ffs_rwsem);
}

static FFS_FRAME void ffs_wait_rwsem_read(void)
{
	down_read(&ffs_rwsem);
	up_read(&ffs_rwsem);
}

static FFS_FRAME void ffs_wait_mutex(void)
{
	mutex_lock(&ffs_mutex);
	mutex_unlock(&ffs_mutex);
}

static FFS_FRAME void ffs_wait_semaphore(void)
{
	down(&ffs_semaphore);
	up(&ffs_semaphore);
}

static FFS_FRAME void ffs_wait_completion(void)
{
	wait_for_completion(&ffs_completion);
}

static FFS_FRAME void ffs_wait_sleep(void)
{
	wait_event(ffs_sleepers, !ffs_gate_is_closed(FFS_SLEEP));
}

void ffs_pass_gates(void)
{
	if (likely(!READ_ONCE(closed_gates)))
		return;
	if (ffs_gate_is_closed(FFS_RWSEM_READ))
		ffs_wait_rwsem_write();
	if (ffs_gate_is_closed(FFS_RWSEM_WRITE))
		ffs_wait_rwsem_read();
	if (ffs_gate_is_closed(FFS_MUTEX))
		ffs_wait_mutex();
	if (ffs_gate_is_closed(FFS_SEMAPHORE))
		ffs_wait_semaphore();
	if (ffs_gate_is_closed(FFS_COMPLETION))
		ffs_wait_completion();
	if (ffs_gate_is_closed(FFS_SLEEP))
		ffs_wait_sleep();
}
