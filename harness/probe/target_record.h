/* SPDX-License-Identifier: Apache-2.0 */
/* What the iterator of target.bpf.c writes for each thread of a watched process: a TargetRecord, or
 * a TargetSame where nothing can have changed since the pass before. Shared by the BPF program and
 * its reader; native byte order, never stored. */
#ifndef HARNESS_PROBE_TARGET_RECORD_H
#define HARNESS_PROBE_TARGET_RECORD_H

#include <linux/types.h>

#define TARGET_FRAMES 12
#define TARGET_NO_CALL (-1) /* in a fault or interrupt, or in user mode since one */

enum TargetFile {
  TARGET_FILE_NONE, /* the call has no file, or it could not be read */
  TARGET_FILE_DATA, /* regular file, directory or block device */
  TARGET_FILE_OTHER /* pipe, socket, terminal, … */
};

/* It sleeps and has not been switched to since the pass before. */
struct TargetSame {
  __u32 size;   /* of this record: tells the two apart */
  __u32 before; /* its number among the records of the pass before */
  __s32 tid;
  __u32 reserved;
};

struct TargetRecord {
  __u32 size;
  __u32 reserved;
  __s32 tid;
  __s32 tgid;
  __u32 state;     /* task_struct.__state */
  __u32 flags;     /* PF_* */
  __u64 jobctl;    /* task_struct.jobctl */
  __u64 start;     /* task_struct.start_time */
  __u64 switches;  /* nvcsw + nivcsw */
  __u64 calls;     /* ioac.syscr + ioac.syscw */
  __u64 faults;    /* maj_flt */
  __u64 user;      /* utime, ns */
  __u64 arrival;   /* sched_info.last_arrival; 0 where the kernel does not keep it */
  __s64 call;      /* number of the system call it is in or was in last */
  __u64 call_args; /* its first four arguments, mixed */
  __u32 file;      /* enum TargetFile, of the first argument */
  __s32 stack_bytes;
  char comm[16];
  __u64 frames[TARGET_FRAMES]; /* innermost first, of a thread that sleeps */
};

#endif
