// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of the file: the little-endian 8-byte word at offset o is a pure function of o, the
 * one of the FUSE target, so that a load can verify what it reads.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include "ffs_stub.h"

static u64 ffs_word(u64 offset)
{
	u64 x = offset ^ 0x9e3779b97f4a7c15ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

void ffs_fill(u64 offset, void *into, size_t length)
{
	u8 *to = into;

	while (length > 0) {
		__le64 word = cpu_to_le64(ffs_word(offset & ~7ULL));
		size_t skip = offset & 7;
		size_t part = min_t(size_t, 8 - skip, length);

		memcpy(to, (u8 *)&word + skip, part);
		to += part;
		offset += part;
		length -= part;
	}
}
