// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ffs: open, the direct-read ioctl, and read() as O_DIRECT does it: the service copies into
 * the caller's memory. The caller waits uninterruptibly, its job is on its stack.
 */
#include <linux/completion.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "ffs_compat.h"
#include "ffs_gate.h"
#include "ffs_ioctl.h"
#include "ffs_stub.h"

static int ffs_open(struct inode *inode, struct file *file)
{
	struct ffs_open *open = kzalloc(sizeof(*open), GFP_KERNEL);

	if (!open)
		return -ENOMEM;
	spin_lock_init(&open->lock);
	INIT_LIST_HEAD(&open->stashed);
	file->private_data = open;
#if FFS_KERNEL(6, 0)
	file->f_mode |= FMODE_CAN_ODIRECT;
#endif
	return 0;
}

static int ffs_release_file(struct inode *inode, struct file *file)
{
	ffs_drop_stashed(file->private_data);
	kfree(file->private_data);
	return 0;
}

static loff_t ffs_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, ffs_file_size);
}

/* Fix pin-in-submitter: the submitter, who may fault and wait for locks, finds the pages. */
static int pin_buffer(struct ffs_job *job)
{
	int count = DIV_ROUND_UP(offset_in_page(job->buffer) + job->length, PAGE_SIZE);
	int got;

	job->pins = kvcalloc(count, sizeof(*job->pins), GFP_KERNEL);
	if (!job->pins)
		return -ENOMEM;
	got = ffs_pin_pages(job->buffer & PAGE_MASK, count, job->pins);
	if (got == count)
		return count;
	if (got > 0)
		ffs_unpin_pages(job->pins, got);
	kvfree(job->pins);
	job->pins = NULL;
	return got < 0 ? got : -EFAULT;
}

static ssize_t submit_and_wait(struct ffs_job *job)
{
	int error = ofs_submit(job);

	if (error)
		return error;
	ffs_await_answer(job);
	return job->result;
}

/* Fix trylock: what the service could not copy without waiting is copied here. */
static ssize_t copy_bounced(struct ffs_job *job)
{
	size_t left = job->length - job->bounce_at;
	void __user *to = (void __user *)(job->buffer + job->bounce_at);
	ssize_t result = copy_to_user(to, job->bounce, left) ? -EFAULT : job->length;

	kvfree(job->bounce);
	return result;
}

static FFS_FRAME ssize_t ffs_direct_read(loff_t offset, unsigned long buffer, size_t length)
{
	struct ffs_job job = { .kind = FFS_JOB_DIRECT, .offset = offset, .buffer = buffer };
	ssize_t result;
	int pinned = 0;

	if (offset >= ffs_file_size || length == 0)
		return 0;
	job.length = min_t(loff_t, length, ffs_file_size - offset);
	if (!ffs_access_ok(buffer, job.length))
		return -EFAULT;
	if (ffs_fix == FFS_FIX_PIN_IN_SUBMITTER) {
		pinned = pin_buffer(&job);
		if (pinned < 0)
			return pinned;
	}
	result = submit_and_wait(&job);
	if (job.pins) {
		ffs_unpin_pages(job.pins, pinned);
		kvfree(job.pins);
	}
	return job.bounce ? copy_bounced(&job) : result;
}

static FFS_FRAME long ffs_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct ffs_direct_read wanted;

	if (command != FFS_IOC_DIRECT_READ)
		return -ENOTTY;
	if (copy_from_user(&wanted, (void __user *)argument, sizeof(wanted)))
		return -EFAULT;
	if (wanted.magic != FFS_DIRECT_READ_MAGIC || wanted.version != FFS_DIRECT_READ_VERSION ||
	    wanted.length > FFS_DIRECT_READ_MAX || wanted.offset > LLONG_MAX)
		return -EINVAL;
	if (wanted.buffer != (unsigned long)wanted.buffer)
		return -EFAULT;
	ffs_pass_gates();
	return ffs_direct_read(wanted.offset, wanted.buffer, wanted.length);
}

/* A read into kernel memory (splice): the page comes from the service, the copy is ours. */
static ssize_t read_for_kernel(loff_t offset, struct iov_iter *to)
{
	size_t from = offset_in_page(offset);
	size_t length = min_t(loff_t, PAGE_SIZE - from, ffs_file_size - offset);
	struct ffs_job job = { .kind = FFS_JOB_PAGE, .offset = offset - from, .length = PAGE_SIZE };
	ssize_t result;

	job.page = alloc_page(GFP_KERNEL);
	if (!job.page)
		return -ENOMEM;
	result = submit_and_wait(&job);
	if (result >= 0)
		result = copy_page_to_iter(job.page, from, length, to);
	put_page(job.page);
	return result;
}

static ssize_t read_piece(loff_t offset, struct iov_iter *to)
{
	size_t length = 0;
	void __user *buffer = ffs_iter_piece(to, &length);
	ssize_t done;

	if (!buffer)
		return read_for_kernel(offset, to);
	done = ffs_direct_read(offset, (unsigned long)buffer,
			       min_t(size_t, length, FFS_DIRECT_READ_MAX));
	if (done > 0)
		iov_iter_advance(to, done);
	return done;
}

static FFS_FRAME ssize_t ffs_read_iter(struct kiocb *request, struct iov_iter *to)
{
	ssize_t total = 0;

	ffs_pass_gates();
	while (iov_iter_count(to) && request->ki_pos < ffs_file_size) {
		ssize_t done = read_piece(request->ki_pos, to);

		if (done <= 0)
			return total ? total : done;
		request->ki_pos += done;
		total += done;
		if (fatal_signal_pending(current))
			break;
	}
	return total;
}

static const struct file_operations ffs_operations = {
	.owner = THIS_MODULE,
	.open = ffs_open,
	.release = ffs_release_file,
	.llseek = ffs_llseek,
	.read_iter = ffs_read_iter,
	.unlocked_ioctl = ffs_ioctl,
	.mmap = ffs_mmap,
};

static struct miscdevice ffs_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ffs",
	.fops = &ffs_operations,
};

int ffs_file_register(void)
{
	return misc_register(&ffs_device);
}

void ffs_file_unregister(void)
{
	misc_deregister(&ffs_device);
}
