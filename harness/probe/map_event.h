/* SPDX-License-Identifier: Apache-2.0 */
/* What map_trace.bpf.c sends for each call that changed the memory map of the traced process.
 * Shared by the BPF program and its reader; native byte order, never stored. */
#ifndef HARNESS_PROBE_MAP_EVENT_H
#define HARNESS_PROBE_MAP_EVENT_H

#include <linux/types.h>

enum MapEventKind {
  MAP_EVENT_MMAP,
  MAP_EVENT_MUNMAP,
  MAP_EVENT_MPROTECT,
  MAP_EVENT_MADVISE,
  MAP_EVENT_BRK,
  MAP_EVENT_MREMAP,
  MAP_EVENT_CLONE,
  MAP_EVENT_EXIT,      /* of a thread */
  MAP_EVENT_EXEC,      /* the process has another mm from here on */
  MAP_EVENT_OTHER_EXEC /* a child of it became another program */
};

struct MapEvent {
  __u64 time_ns; /* CLOCK_MONOTONIC, when the call had returned */
  __u32 kind;    /* enum MapEventKind */
  __u32 tid;     /* of the caller; the numbers of the first pid namespace */
  __u64 address; /* mmap, mremap: the new one; brk: the new end */
  __u64 length;
  __u64 flags; /* of mmap, mremap, clone; the advice of madvise */
  __u32 prot;
  __u32 child;        /* clone: tid of the new thread or process */
  __u64 from_address; /* mremap */
  __u64 from_length;
  char comm[16]; /* exec */
};

#endif
