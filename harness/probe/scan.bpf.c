// SPDX-License-Identifier: GPL-2.0-only
// The passes over all tasks: find_mmap_locks writes every contended mmap_lock with its queue;
// find_other_locks, where the kernel names them, every other rwsem and mutex that a task in D waits
// for; emit_tasks the tasks that matter. Nothing of the target is locked: task iteration is under
// RCU, everything else is bpf_probe_read_kernel.
//
// rwsem words (kernel/locking/rwsem.c, 5.3 to 6.18): count bit 0 writer, bit 1 waiters, bit 2
// handoff, readers from bit 8, bit 63 "read fail"; owner low bits: 0 reader-owned, 1 non-spinnable.

#include "harness/probe/kernel_types.h"
#include "harness/probe/scan_facts.bpf.h"
#include "harness/probe/scan_maps.bpf.h"
#include "harness/probe/scan_record.h"
#include "harness/probe/scan_stack.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define RWSEM_WAITERS 2
#define STATE_UNINTERRUPTIBLE 0x2
#define STATE_NOLOAD 0x400
#define SCAN_WHY_STACK (SCAN_WHY_BLOCKED | SCAN_WHY_REQUEST | SCAN_WHY_OWNER | SCAN_WHY_CALL)
/* task_struct.blocker, include/linux/hung_task.h 6.18: a lock's address and its type. */
#define BLOCKER_TYPE 3ULL
#define BLOCKER_MUTEX 0
#define BLOCKER_SEMAPHORE 1

extern int CONFIG_HZ __kconfig __weak;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u64);
} watched_tgids SEC(".maps");

__u64 jiffies_now;
__u32 hz;
__u32 waits_for_others; /* some task in D waits for a lock that it names */
__u32 plain_tasks;      /* watched, and nothing else about them */
__u32 plain_limit;      /* so many of these are told; set by user space */
__u32 quick;            /* set by user space: find_mmap_locks is the only pass */

/* Only one thread runs a scan of these maps: scratch needs no copy per CPU. */
static struct ScanLock lock;
static struct ScanWaiter waiters[SCAN_MAX_WAITERS];

/* Loop state lives in maps, not on the BPF stack: there the verifier would follow every value of
 * every counter through bpf_loop (6.5 and later) and give up. volatile: or clang splits the struct
 * and the kernel refuses the BTF of the pieces. */
static volatile struct {
  __u64 lock;
  __u64 head;
  __u64 node;
  __u32 found;
  __u32 flags;
  __u32 type;
} queue;

static __always_inline __u64 read_word(__u64 address) {
  __u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (const void*)address);
  return value;
}

static __always_inline void read_comm(char* comm, const struct task_struct* task) {
  bpf_probe_read_kernel(comm, sizeof(task->comm),
                        (const char*)task + bpf_core_field_offset(struct task_struct, comm));
}

/* The task of the waiter at queue.node, and whether it waits as a reader. */
static __always_inline const struct task_struct* waiting_task(__u32* reader) {
  *reader = 0;
  if (queue.type == SCAN_MUTEX) {
    const struct mutex_waiter* waiter =
        (const void*)(queue.node - bpf_core_field_offset(struct mutex_waiter, list));
    return BPF_CORE_READ(waiter, task);
  }
  const struct rwsem_waiter* waiter =
      (const void*)(queue.node - bpf_core_field_offset(struct rwsem_waiter, list));
  *reader = BPF_CORE_READ(waiter, type) ==
            bpf_core_enum_value(enum rwsem_waiter_type, RWSEM_WAITING_FOR_READ);
  return BPF_CORE_READ(waiter, task);
}

static long queue_step(__u32 step, void* unused) {
  const __u64 node = queue.node;
  if (!node || node == queue.head) return 1;
  const __u32 at = queue.found;
  if (at >= SCAN_MAX_WAITERS) {
    queue.flags |= SCAN_LOCK_CUT;
    return 1;
  }
  __u32 reader;
  const struct task_struct* task = waiting_task(&reader);
  const __u64 next = read_word(node);
  if (!task || read_word(next + sizeof(__u64)) != node) {
    queue.flags |= SCAN_LOCK_TORN;
    return 1;
  }
  struct ScanWaiter* out = &waiters[at];
  out->head.kind = SCAN_WAITER;
  out->head.size = sizeof(*out);
  out->lock = queue.lock;
  out->task = (__u64)task;
  out->tid = BPF_CORE_READ(task, pid);
  out->tgid = BPF_CORE_READ(task, tgid);
  read_comm(out->comm, task);
  out->reader = reader;
  queue.found = at + 1;
  queue.node = next;
  /* A ring without a head ends where it began. */
  if (!queue.head) queue.head = node;
  return 0;
}

static __always_inline void start_queue(__u64 address, __u32 type) {
  queue.lock = address;
  queue.type = type;
  queue.found = 0;
  queue.flags = 0;
  if (type == SCAN_MUTEX) {
    queue.head = address + bpf_core_field_offset(struct mutex, wait_list);
    queue.node = read_word(queue.head);
  } else if (bpf_core_field_exists(struct rw_semaphore, wait_list)) {
    queue.head = address + bpf_core_field_offset(struct rw_semaphore, wait_list);
    queue.node = read_word(queue.head);
  } else {
    const struct rw_semaphore___first* sem = (const void*)address;
    const __u64 first = (__u64)BPF_CORE_READ(sem, first_waiter);
    queue.head = 0;
    queue.node = first ? first + bpf_core_field_offset(struct rwsem_waiter, list) : 0;
  }
}

static __always_inline void describe_lock(__u64 address, __u32 type) {
  const struct rw_semaphore* sem = (const void*)address;
  const struct mutex* mutex = (const void*)address;
  lock.head.kind = SCAN_LOCK;
  lock.head.size = sizeof(lock);
  lock.lock = address;
  lock.type = type;
  lock.count = type == SCAN_MUTEX ? 0 : (__u64)BPF_CORE_READ(sem, count.counter);
  lock.owner = type == SCAN_MUTEX ? (__u64)BPF_CORE_READ(mutex, owner.counter)
                                  : (__u64)BPF_CORE_READ(sem, owner.counter);
  lock.owner_tid = 0;
  lock.owner_tgid = 0;
  __builtin_memset(lock.owner_comm, 0, sizeof(lock.owner_comm));
  const struct task_struct* owner = (const void*)(lock.owner & ~7ULL);
  if (!owner) return;
  lock.owner_tid = BPF_CORE_READ(owner, pid);
  lock.owner_tgid = BPF_CORE_READ(owner, tgid);
  read_comm(lock.owner_comm, owner);
}

static __always_inline int emit_lock(struct seq_file* seq, __u64 address, __u32 type) {
  describe_lock(address, type);
  start_queue(address, type);
  bpf_loop(SCAN_MAX_WAITERS + 1, queue_step, 0, 0);
  lock.flags = queue.flags;
  lock.waiters = queue.found;
  if (bpf_seq_write(seq, &lock, sizeof(lock))) return 0;
  __u64 bytes = queue.found * sizeof(struct ScanWaiter);
  barrier_var(bytes); /* or clang tests queue.found, which tells the verifier nothing */
  if (bytes > sizeof(waiters)) return 0;
  if (bytes && bpf_seq_write(seq, waiters, bytes)) return 0;
  return 1;
}

/* After the output has fitted: otherwise the kernel shows us the same task again. */
static __always_inline void remember_lock(void) {
  struct SeenKey key = {lock.lock, SEEN_LOCK};
  mark(&seen, &key);
  struct SeenKey owner = {lock.owner & ~7ULL, SEEN_OWNER};
  if (owner.object) mark(&seen, &owner);
  struct SeenKey space = {lock.mm, SEEN_MM};
  if (lock.mm) mark(&seen, &space);
}

static __always_inline int blocked(__u32 state) {
  return (state & STATE_UNINTERRUPTIBLE) && !(state & STATE_NOLOAD);
}

static __always_inline void note_features(void) {
  if (bpf_core_field_exists(struct task_struct, blocker)) features |= SCAN_HAS_BLOCKER;
  if (bpf_core_field_exists(struct thread_struct, sp)) features |= SCAN_HAS_STACK_SCAN;
  if (bpf_core_enum_value_exists(enum fault_flag, FAULT_FLAG_VMA_LOCK))
    features |= SCAN_HAS_VMA_LOCK;
  jiffies_now = bpf_jiffies64();
  hz = (__u32)CONFIG_HZ;
}

static __always_inline void describe_task(struct task_struct* task) {
  row.head.kind = SCAN_TASK;
  row.head.size = sizeof(row);
  row.task = (__u64)task;
  row.mm = (__u64)BPF_CORE_READ(task, mm);
  row.switches = task->nvcsw + task->nivcsw;
  row.blocker = bpf_core_field_exists(task->blocker) ? task->blocker : 0;
  row.tid = task->pid;
  row.tgid = task->tgid;
  row.state = task->__state;
  row.flags = task->flags;
  describe_facts(&row, task);
  row.faults = 0;
  __builtin_memset(row.fault, 0, sizeof(row.fault));
  __builtin_memset(row.frames, 0, sizeof(row.frames));
  read_comm(row.comm, task);
  row.stack_bytes = (__s32)bpf_get_task_stack(task, row.frames, sizeof(row.frames), 0);
}

static __always_inline void note_mmap_lock(struct seq_file* seq, struct task_struct* task) {
  struct mm_struct* mm = task->mm;
  if (!mm || !(mm->mmap_lock.count.counter & RWSEM_WAITERS)) return;
  const __u64 space = (__u64)BPF_CORE_READ(task, mm);
  struct SeenKey key = {space + bpf_core_field_offset(struct mm_struct, mmap_lock), SEEN_LOCK};
  if (!space || marked(&seen, &key)) return;
  lock.mm = space;
  lock.tgid = task->tgid;
  if (emit_lock(seq, key.object, SCAN_RWSEM)) remember_lock();
}

SEC("iter/task")
int find_mmap_locks(struct bpf_iter__task* ctx) {
  struct task_struct* task = ctx->task;
  if (!task) { /* after the last one */
    note_features();
    return 0;
  }
  const int in_d = blocked(task->__state);
  if (in_d && bpf_core_field_exists(task->blocker) && task->blocker) waits_for_others = 1;
  note_mmap_lock(ctx->meta->seq, task);
  if (!quick || !in_d) return 0;
  describe_task(task);
  row.why = SCAN_WHY_BLOCKED;
  row.moved = row.switches != task->nvcsw + task->nivcsw || row.state != task->__state;
  bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
  return 0;
}

/* After find_mmap_locks, which has seen those that are an mmap_lock. */
SEC("iter/task")
int find_other_locks(struct bpf_iter__task* ctx) {
  struct task_struct* task = ctx->task;
  if (!task || !bpf_core_field_exists(task->blocker) || !blocked(task->__state)) return 0;
  const __u64 word = task->blocker;
  const __u64 type = word & BLOCKER_TYPE;
  struct SeenKey key = {word & ~BLOCKER_TYPE, SEEN_LOCK};
  if (!key.object || type == BLOCKER_SEMAPHORE || marked(&seen, &key)) return 0;
  lock.mm = 0;
  lock.tgid = 0;
  if (emit_lock(ctx->meta->seq, key.object, type == BLOCKER_MUTEX ? SCAN_MUTEX : SCAN_RWSEM))
    remember_lock();
  return 0;
}

static __always_inline __u32 why_emit(struct task_struct* task) {
  __u32 why = blocked(task->__state) ? SCAN_WHY_BLOCKED : 0;
  __u32 tid = (__u32)task->pid, tgid = (__u32)task->tgid;
  struct SeenKey owner = {(__u64)task, SEEN_OWNER};
  if (bpf_map_lookup_elem(&watched_tgids, &tgid)) why |= SCAN_WHY_WATCHED;
  if (marked(&server_tgids, &tgid)) why |= SCAN_WHY_SERVER;
  if (marked(&request_tids, &tid)) why |= SCAN_WHY_REQUEST;
  if (marked(&seen, &owner)) why |= SCAN_WHY_OWNER;
  if (!(why & (SCAN_WHY_BLOCKED | SCAN_WHY_REQUEST)) && sleeps_in_call(task)) why |= SCAN_WHY_CALL;
  return why;
}

SEC("iter/task")
int emit_tasks(struct bpf_iter__task* ctx) {
  struct task_struct* task = ctx->task;
  if (!task) return 0;
  if (task->__state & STATE_NOLOAD) return 0;
  __u32 why = why_emit(task);
  struct mm_struct* mm = task->mm;
  const int contended = mm && (mm->mmap_lock.count.counter & RWSEM_WAITERS);
  if (!why && !contended) return 0;
  /* One more thread that only sleeps, of thousands, says nothing new. */
  if (why == SCAN_WHY_WATCHED && !contended && ++plain_tasks > plain_limit) return 0;
  describe_task(task);
  if (row.state && (contended || (why & SCAN_WHY_STACK))) search_stack(task);
  if (row.faults) why |= SCAN_WHY_FAULT;
  if (!why) return 0;
  row.why = why;
  row.moved = row.switches != task->nvcsw + task->nivcsw || row.state != task->__state;
  bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
  return 0;
}
