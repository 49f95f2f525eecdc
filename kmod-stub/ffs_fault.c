// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mapping of /dev/ffs. Nothing is cached: every fault is a read by the service, so page reads
 * go on as long as clients drop pages (MADV_DONTNEED). Without map_pages in vm_ops the kernel calls
 * fault() under the mmap_lock also where it has per-VMA locks (vmf_can_call_fault(), 6.6).
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "ffs_compat.h"
#include "ffs_stub.h"

/* What a task read while it had given the lock up; its second try takes it without waiting. */
struct ffs_stashed {
	struct list_head link;
	struct task_struct *task; /* compared, never followed */
	pgoff_t index;
	struct page *page; /* NULL: the read failed */
};

/* The service answers or the module aborts: as in the crash core, no signal ends this wait. */
static FFS_FRAME void lock_blkgrp_sync(struct ffs_job *job)
{
	ffs_await_answer(job);
}

static FFS_FRAME int wait_on_blkgrp_locked(struct ffs_job *job)
{
	ffs_page_awaited(job->mm);
	lock_blkgrp_sync(job);
	ffs_page_arrived(job->mm);
	return job->result < 0 ? job->result : 0;
}

static FFS_FRAME int filemap_read_blkgrp(loff_t offset, struct page *page)
{
	struct ffs_job job = {
		.kind = FFS_JOB_PAGE, .offset = offset, .length = PAGE_SIZE, .page = page
	};
	int error = ofs_submit(&job);

	return error ? error : wait_on_blkgrp_locked(&job);
}

static struct ffs_stashed *take_stashed(struct ffs_open *open, pgoff_t index)
{
	struct ffs_stashed *each, *found = NULL;

	spin_lock(&open->lock);
	list_for_each_entry(each, &open->stashed, link) {
		if (each->task == current) {
			list_del(&each->link);
			found = each;
			break;
		}
	}
	spin_unlock(&open->lock);
	if (found && found->index != index) {
		/* Its second try never came: the mapping was gone, or a signal came first. */
		if (found->page)
			put_page(found->page);
		kfree(found);
		found = NULL;
	}
	return found;
}

void ffs_drop_stashed(struct ffs_open *open)
{
	struct ffs_stashed *each, *next;

	list_for_each_entry_safe(each, next, &open->stashed, link) {
		if (each->page)
			put_page(each->page);
		kfree(each);
	}
}

static vm_fault_t use_stashed(struct vm_fault *vmf, struct ffs_stashed *stashed)
{
	vmf->page = stashed->page;
	kfree(stashed);
	return vmf->page ? 0 : VM_FAULT_SIGBUS;
}

/* Fix fault-retry: the read happens without the lock, the kernel then tries the fault again. */
static vm_fault_t read_unlocked(struct vm_fault *vmf, struct page *page)
{
	struct file *file = get_file(vmf->vma->vm_file);
	struct ffs_open *open = file->private_data;
	struct ffs_stashed *stashed = kmalloc(sizeof(*stashed), GFP_KERNEL);
	pgoff_t index = vmf->pgoff;

	if (!stashed) {
		fput(file);
		put_page(page);
		return VM_FAULT_OOM;
	}
	ffs_release_fault_lock(vmf);
	stashed->task = current;
	stashed->index = index;
	stashed->page = page;
	if (filemap_read_blkgrp((loff_t)index << PAGE_SHIFT, page)) {
		put_page(page);
		stashed->page = NULL;
	}
	spin_lock(&open->lock);
	list_add(&stashed->link, &open->stashed);
	spin_unlock(&open->lock);
	fput(file);
	return VM_FAULT_RETRY;
}

static bool may_give_lock_up(const struct vm_fault *vmf)
{
	return ffs_fix == FFS_FIX_FAULT_RETRY && (vmf->flags & FAULT_FLAG_ALLOW_RETRY) &&
	       !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);
}

static FFS_FRAME vm_fault_t __ffs_do_filemap_fault(struct vm_fault *vmf)
{
	struct page *page = alloc_page(GFP_HIGHUSER);
	int error;

	if (!page)
		return VM_FAULT_OOM;
	if (may_give_lock_up(vmf))
		return read_unlocked(vmf, page);
	error = filemap_read_blkgrp((loff_t)vmf->pgoff << PAGE_SHIFT, page);
	if (error) {
		put_page(page);
		return VM_FAULT_SIGBUS;
	}
	vmf->page = page;
	return 0;
}

static FFS_FRAME vm_fault_t ffs_do_filemap_fault(struct vm_fault *vmf)
{
	struct ffs_open *open = vmf->vma->vm_file->private_data;
	struct ffs_stashed *stashed;

	if (vmf->pgoff >= ffs_file_size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	stashed = take_stashed(open, vmf->pgoff);
	if (stashed)
		return use_stashed(vmf, stashed);
	return __ffs_do_filemap_fault(vmf);
}

static FFS_FRAME vm_fault_t ffs_filemap_fault(struct vm_fault *vmf)
{
	return ffs_do_filemap_fault(vmf);
}

static const struct vm_operations_struct ffs_vm_ops = {
	.fault = ffs_filemap_fault,
};

int ffs_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &ffs_vm_ops;
	return 0;
}

/* The mm's mmap_lock is held. */
bool ffs_is_own_mapping(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(mm, address);

	return vma && vma->vm_ops == &ffs_vm_ops;
}
