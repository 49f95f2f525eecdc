/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR Apache-2.0 */
/*
 * The ioctl by which a client asks the file system's service to copy file data straight into the
 * client's memory. The service thread takes the client's mmap_lock for read to do so: the edge
 * "service waits for client" of the reported stall. Shared by the FUSE server, the kernel module
 * and the load.
 *
 * Returns the number of bytes copied, 0 at or behind the end of the file, or -1 with errno:
 * EINVAL (magic, version, or length above FFS_DIRECT_READ_MAX), EFAULT (buffer not writable).
 * FUSE hands the structure to the server without another copy because its size is in the command
 * (restricted ioctl: fs/fuse/ioctl.c, fuse_do_ioctl, 6.12).
 */
#ifndef STALLPROOF_FFS_IOCTL_H
#define STALLPROOF_FFS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FFS_DIRECT_READ_MAGIC 0x52534646U /* "FFSR" in memory */
#define FFS_DIRECT_READ_VERSION 1U
#define FFS_DIRECT_READ_MAX (1U << 20)

struct ffs_direct_read {
  __u32 magic;
  __u32 version;
  __u64 offset; /* in the file, bytes */
  __u64 length; /* bytes */
  __u64 buffer; /* address in the caller's memory */
};

#define FFS_IOC_DIRECT_READ _IOW('F', 0x53, struct ffs_direct_read)

#endif
