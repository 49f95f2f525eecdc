/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changed in the kernel's interfaces between 4.18 and 6.12. README.md says which versions were
 * compiled and which only written.
 */
#ifndef FFS_COMPAT_H
#define FFS_COMPAT_H

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/version.h>

#define FFS_KERNEL(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#if FFS_KERNEL(5, 8)
#include <linux/mmap_lock.h>
#define ffs_mmap_rwsem(mm) (&(mm)->mmap_lock)
#else
#define ffs_mmap_rwsem(mm)    (&(mm)->mmap_sem)
#define mmap_read_lock(mm)    down_read(&(mm)->mmap_sem)
#define mmap_read_trylock(mm) (down_read_trylock(&(mm)->mmap_sem) != 0)
#define mmap_read_unlock(mm)  up_read(&(mm)->mmap_sem)
#define mmap_write_unlock(mm) up_write(&(mm)->mmap_sem)
#endif

#if !FFS_KERNEL(5, 11)
#define kmap_local_page(page) kmap_atomic(page)
#define kunmap_local(address) kunmap_atomic(address)
#endif

#if FFS_KERNEL(6, 4)
#define FFS_DEFINE_SEMAPHORE(name) DEFINE_SEMAPHORE(name, 1)
#else
#define FFS_DEFINE_SEMAPHORE(name) DEFINE_SEMAPHORE(name)
#endif

static inline bool ffs_access_ok(unsigned long address, size_t length)
{
#if FFS_KERNEL(5, 0)
	return access_ok((void __user *)address, length);
#else
	return access_ok(VERIFY_WRITE, (void __user *)address, length);
#endif
}

/* 6.12 has no mmap_write_trylock(); up to there it was no more than this. */
static inline bool ffs_mmap_write_trylock(struct mm_struct *mm)
{
	return down_write_trylock(ffs_mmap_rwsem(mm)) != 0;
}

/* One writable page of another process; its mmap_lock is held. 1, 0 or -errno. */
static inline long ffs_remote_page(struct mm_struct *mm, unsigned long address, struct page **page)
{
#if FFS_KERNEL(6, 5)
	return get_user_pages_remote(mm, address, 1, FOLL_WRITE, page, NULL);
#elif FFS_KERNEL(5, 9)
	return get_user_pages_remote(mm, address, 1, FOLL_WRITE, page, NULL, NULL);
#else
	return get_user_pages_remote(NULL, mm, address, 1, FOLL_WRITE, page, NULL, NULL);
#endif
}

/* Pins up to count writable pages of the caller's own memory. Number pinned, or -errno. */
static inline int ffs_pin_pages(unsigned long address, int count, struct page **pages)
{
#if FFS_KERNEL(5, 6)
	return pin_user_pages_fast(address, count, FOLL_WRITE, pages);
#elif FFS_KERNEL(5, 2)
	return get_user_pages_fast(address, count, FOLL_WRITE, pages);
#else
	return get_user_pages_fast(address, count, 1, pages);
#endif
}

static inline void ffs_unpin_pages(struct page **pages, int count)
{
#if FFS_KERNEL(5, 6)
	unpin_user_pages_dirty_lock(pages, count, true);
#else
	int i;

	for (i = 0; i < count; i++) {
		set_page_dirty_lock(pages[i]);
		put_page(pages[i]);
	}
#endif
}

/* Drops the lock under which a fault came; the handler then returns VM_FAULT_RETRY. */
static inline void ffs_release_fault_lock(struct vm_fault *vmf)
{
#if FFS_KERNEL(6, 6)
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}

/* Where the next piece of a read into user memory goes, and its length; NULL: not user memory. */
static inline void __user *ffs_iter_piece(const struct iov_iter *to, size_t *length)
{
	const struct iovec *iov;

#if FFS_KERNEL(6, 0)
	if (iter_is_ubuf(to)) {
		*length = iov_iter_count(to);
		return to->ubuf + to->iov_offset;
	}
#endif
	if (!iter_is_iovec(to))
		return NULL;
#if FFS_KERNEL(6, 4)
	iov = iter_iov(to);
#else
	iov = to->iov;
#endif
	*length = min(iov->iov_len - to->iov_offset, iov_iter_count(to));
	return iov->iov_base + to->iov_offset;
}

#endif
