// SPDX-License-Identifier: GPL-2.0-only
/*
 * The load of the reported stall on /dev/ffs, in one process: threads that fault mapped pages,
 * threads that mprotect, threads that read directly. Prints nothing: the module counts.
 * stall_client FAULT MPROTECT DIRECT SECONDS; ends after SECONDS, if it still can.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "ffs_ioctl.h"

#define PAGE  4096UL
#define CHUNK (64UL << 10)
/* Without faults the circle cannot close: for so long the others run alone. */
#define HEALTHY_US 300000

/* A thread's creation takes the mmap_lock, so all are there before the first fault. */
static pthread_barrier_t all_here;
static int device;
static size_t file_size;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The word that the file holds at an offset that is a multiple of 8: workloads/ffs/pattern.h. */
static uint64_t word_at(uint64_t offset)
{
	uint64_t x = offset ^ 0x9e3779b97f4a7c15ULL;

	return next_random(&x);
}

static void expect(uint64_t got, uint64_t offset)
{
	if (got == word_at(offset))
		return;
	fprintf(stderr, "stall_client: wrong content at %llu\n", (unsigned long long)offset);
	_exit(3);
}

static void *fault_pages(void *seed)
{
	uint64_t state = (uintptr_t)seed * 7919 + 1;
	uint8_t *mapped = mmap(NULL, file_size, PROT_READ, MAP_SHARED, device, 0);

	prctl(PR_SET_NAME, "java-fault");
	if (mapped == MAP_FAILED) {
		perror("stall_client: mmap");
		_exit(2);
	}
	pthread_barrier_wait(&all_here);
	usleep(HEALTHY_US);
	for (;;) {
		uint64_t offset = next_random(&state) % (file_size / PAGE) * PAGE;

		expect(*(volatile uint64_t *)(mapped + offset), offset);
		madvise(mapped + offset, PAGE, MADV_DONTNEED);
	}
	return NULL;
}

static void *change_protection(void *unused)
{
	void *mapped =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_NAME, "java-mprotect");
	if (mapped == MAP_FAILED) {
		perror("stall_client: mmap");
		_exit(2);
	}
	pthread_barrier_wait(&all_here);
	for (;;) {
		mprotect(mapped, PAGE, PROT_READ);
		mprotect(mapped, PAGE, PROT_READ | PROT_WRITE);
	}
	return unused;
}

static void *read_directly(void *seed)
{
	uint64_t state = (uintptr_t)seed * 104729 + 1;
	uint64_t *buffer = aligned_alloc(PAGE, CHUNK);

	prctl(PR_SET_NAME, "java-direct");
	if (!buffer)
		_exit(2);
	memset(buffer, 0, CHUNK);
	pthread_barrier_wait(&all_here);
	for (;;) {
		uint64_t offset = next_random(&state) % (file_size / CHUNK) * CHUNK;
		struct ffs_direct_read wanted = {
			.magic = FFS_DIRECT_READ_MAGIC,
			.version = FFS_DIRECT_READ_VERSION,
			.offset = offset,
			.length = CHUNK,
			.buffer = (uintptr_t)buffer,
		};

		if (ioctl(device, FFS_IOC_DIRECT_READ, &wanted) != (int)CHUNK) {
			perror("stall_client: direct read");
			_exit(2);
		}
		expect(buffer[0], offset);
		expect(buffer[CHUNK / 8 - 1], offset + CHUNK - 8);
	}
	return NULL;
}

static void start(void *(*run)(void *), int threads)
{
	int i;

	for (i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, (void *)(intptr_t)(i + 1)) != 0) {
			fputs("stall_client: cannot create a thread\n", stderr);
			_exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int faults, mprotects, directs;

	if (argc != 5) {
		fputs("usage: stall_client FAULT MPROTECT DIRECT SECONDS\n", stderr);
		return 2;
	}
	faults = atoi(argv[1]);
	mprotects = atoi(argv[2]);
	directs = atoi(argv[3]);
	device = open("/dev/ffs", O_RDWR);
	if (device < 0) {
		perror("stall_client: /dev/ffs");
		return 2;
	}
	file_size = lseek(device, 0, SEEK_END);
	pthread_barrier_init(&all_here, NULL, faults + mprotects + directs + 1);
	start(read_directly, directs);
	start(change_protection, mprotects);
	start(fault_pages, faults);
	pthread_barrier_wait(&all_here);
	sleep(atoi(argv[4]));
	_exit(0);
}
