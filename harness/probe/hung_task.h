/* SPDX-License-Identifier: Apache-2.0 */
/* One report of the kernel's own hung-task detector, as hung_task.bpf.c keeps it. Shared by the BPF
 * program and its reader; native byte order, never stored. */
#ifndef HARNESS_PROBE_HUNG_TASK_H
#define HARNESS_PROBE_HUNG_TASK_H

#include <linux/types.h>

#define HUNG_TASKS_KEPT 64 /* power of two */

struct HungTask {
  __u64 time_ns; /* CLOCK_MONOTONIC, of the report */
  __s32 tid;
  __s32 tgid;
  char comm[16];
};

#endif
