/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one kernel scan: fixed-size records, each beginning with a ScanHead, written by the
 * BPF iterators (scan.bpf.c, scan_fuse.bpf.c) and read by decode_scan(). Plain C: both sides
 * include it. Pointers are kernel addresses used as identities only. */
#ifndef HARNESS_PROBE_SCAN_RECORD_H
#define HARNESS_PROBE_SCAN_RECORD_H

#include <linux/types.h>

#define SCAN_MAGIC 0x4e414353u
#define SCAN_FRAMES 48
#define SCAN_FAULTS 2
#define SCAN_MAX_WAITERS 512
#define SCAN_MAX_REQUESTS 512

enum ScanKind { SCAN_BEGIN = 1, SCAN_CONNECTION, SCAN_REQUEST, SCAN_LOCK, SCAN_WAITER, SCAN_TASK };

struct ScanHead {
  __u32 kind; /* enum ScanKind */
  __u32 size; /* of the whole record */
};

/* What this kernel lets us read; found out by CO-RE when the programs were loaded. */
enum ScanFeature {
  SCAN_HAS_VMA_LOCK = 1,    /* FAULT_FLAG_VMA_LOCK exists (6.4) */
  SCAN_HAS_BLOCKER = 2,     /* task_struct.blocker exists (6.16, an option) */
  SCAN_HAS_STACK_SCAN = 4,  /* task_struct.thread.sp exists: x86 */
  SCAN_HAS_CREATE_TIME = 8, /* fuse_req.create_time exists (6.14) */
  SCAN_HAS_FUSE = 16        /* the FUSE iterator is loaded */
};

enum ScanNote {
  SCAN_NOTE_BUFFER_FULL = 1, /* the caller's buffer was too small */
  SCAN_NOTE_INCOMPLETE = 2,  /* an iterator stopped with an error */
  SCAN_NOTE_PLAIN_CUT = 4,   /* threads that only sleep were left out, as asked */
  SCAN_NOTE_QUICK = 8        /* one pass: contended mmap_locks and blocked tasks, nothing else */
};

/* First record, filled in by KernelScan itself. */
struct ScanBegin {
  struct ScanHead head;
  __u32 magic;
  __u32 features; /* ScanFeature bits */
  __u32 notes;    /* ScanNote bits */
  __u32 hz;       /* CONFIG_HZ, 0 when unknown */
  __u64 taken_ns; /* CLOCK_MONOTONIC */
  __u64 took_ns;
  __u64 jiffies;
};

enum ScanConnectionFlag {
  SCAN_CONN_RING = 1,   /* serves by io_uring: those requests are not in any list we walk */
  SCAN_CONN_CUT = 2,    /* more than SCAN_MAX_REQUESTS */
  SCAN_CONN_PID_NS = 4, /* request pids are numbers of another pid namespace */
  SCAN_CONN_TORN = 8    /* a list changed while it was walked */
};

/* One for each (connection, process that has it open). */
struct ScanConnection {
  struct ScanHead head;
  __u64 fc;
  __u32 number; /* fc->dev */
  __u32 waiting;
  __s32 server_tgid;
  __u32 flags;
};

struct ScanRequest {
  struct ScanHead head;
  __u64 request;
  __u64 unique;
  __u64 create_time; /* jiffies; 0 when the kernel has no such field */
  __u32 number;      /* connection */
  __u32 opcode;
  __s32 client;
  __u32 processing; /* 0: not yet read by the server */
};

enum ScanLockFlag { SCAN_LOCK_CUT = 1, SCAN_LOCK_TORN = 2 };
enum ScanLockType { SCAN_RWSEM, SCAN_MUTEX };

/* Followed by its ScanWaiter records in queue order. */
struct ScanLock {
  struct ScanHead head;
  __u64 lock;
  __u64 mm;    /* 0: no mmap_lock */
  __u64 count; /* 0 for a mutex */
  __u64 owner; /* raw word: task | flags in the low three bits */
  __s32 tgid;
  __s32 owner_tid;
  __s32 owner_tgid;
  __u32 flags;
  __u32 waiters;
  __u32 type; /* enum ScanLockType */
  char owner_comm[16];
};

struct ScanWaiter {
  struct ScanHead head;
  __u64 lock;
  __u64 task;
  __s32 tid;
  __s32 tgid;
  char comm[16];
  __u32 reader;
  __u32 reserved;
};

/* Something on the stack that can only be a struct vm_fault. `frame`: the return addresses found
 * below it, so it lies in the frame of the function frames[frame - 1] returns to. */
struct ScanFault {
  __u64 mm;
  __u64 address;
  __u64 pgoff;
  __u32 bits; /* ScanFaultBit */
  __u32 frame;
};

enum ScanFaultBit {
  SCAN_FAULT_TRIED = 1,
  SCAN_FAULT_VMA_LOCK = 2,
  SCAN_FAULT_ALLOW_RETRY = 4,
  SCAN_FAULT_NOWAIT = 8,
  SCAN_FAULT_FILE = 16, /* the VMA maps a file */
  SCAN_FAULT_MKWRITE = 32
};

enum ScanWhy {
  SCAN_WHY_BLOCKED = 1,
  SCAN_WHY_WATCHED = 2,
  SCAN_WHY_SERVER = 4,
  SCAN_WHY_REQUEST = 8,
  SCAN_WHY_OWNER = 16,
  SCAN_WHY_FAULT = 32,
  SCAN_WHY_CALL = 64 /* asleep in S in a page fault, execve or a wait for asynchronous I/O */
};

enum ScanFact {
  SCAN_FACT_FROZEN = 1,  /* by the freezer of a cgroup or of suspend */
  SCAN_FACT_STOPPED = 2, /* by a signal */
  SCAN_FACT_TRACED = 4,
  SCAN_FACT_EXEC = 8,      /* inside execve */
  SCAN_FACT_THROTTLED = 16 /* ready, and the CPU quota of its cgroup is used up */
};

/* How the file system it waits in was found on its stack. */
enum ScanWait {
  SCAN_WAIT_UNKNOWN,
  SCAN_WAIT_PAGE,   /* it waits for a page of this file */
  SCAN_WAIT_FREEZE, /* it waits until this file system is no longer frozen */
  SCAN_WAIT_FILE,   /* it reads or writes this file */
  SCAN_WAIT_FAULT   /* its page fault is on a mapping of this file */
};

struct ScanTask {
  struct ScanHead head;
  __u64 task;
  __u64 mm;
  __u64 switches; /* nvcsw + nivcsw */
  __u64 blocker;
  __s32 tid;
  __s32 tgid;
  __u32 state;       /* task_struct.__state */
  __u32 flags;       /* PF_* */
  __u32 why;         /* ScanWhy bits */
  __s32 stack_bytes; /* of frames, or -errno */
  __u32 faults;      /* found; the last SCAN_FAULTS are kept */
  __u32 moved;       /* it ran while it was being read */
  __u32 facts;       /* ScanFact bits */
  __u32 wait;        /* enum ScanWait */
  __u32 wait_device; /* kernel's dev_t: major << 20 | minor; of a block device file its own */
  __s32 parent;      /* process */
  __u64 wait_inode;
  __u64 voluntary; /* nvcsw */
  __u64 ran_ns;    /* on a CPU, ever */
  __u64 delay_ns;  /* ready and not run, ever; counted when it gets a CPU */
  char comm[16];
  struct ScanFault fault[SCAN_FAULTS];
  __u64 frames[SCAN_FRAMES]; /* innermost first */
};

#endif
