// SPDX-License-Identifier: GPL-2.0-only
// Second and third pass over all tasks: find_locks writes every contended mmap_lock (and, where the
// kernel names it, every other rwsem that a task in D waits for) with its queue; emit_tasks writes
// the tasks that matter. Nothing of the target is locked: task iteration is under RCU, everything
// else is bpf_probe_read_kernel.
//
// rwsem words (kernel/locking/rwsem.c, 5.3 to 6.18): count bit 0 writer, bit 1 waiters, bit 2
// handoff, readers from bit 8, bit 63 "read fail"; owner low bits: 0 reader-owned, 1 non-spinnable.

#include "harness/probe/kernel_types.h"
#include "harness/probe/scan_maps.bpf.h"
#include "harness/probe/scan_record.h"

char LICENSE[] SEC("license") = "GPL";

#define RWSEM_WAITERS 2
#define STATE_UNINTERRUPTIBLE 0x2
#define STATE_NOLOAD 0x400
#define STACK_BYTES 16384 /* THREAD_SIZE, x86_64 without KASAN */
#define STACK_WORDS (STACK_BYTES / 8)
#define KERNEL_MIN 0xffff800000000000ULL
#define USER_MAX 0x0100000000000000ULL /* 57-bit user addresses */
#define PAGE_BYTES 4096
#define BLOCKER_RWSEM                                                         \
  2 /* include/linux/hung_task.h 6.18: types 2 and 3 are rwsem reader, writer \
     */

extern int CONFIG_HZ __kconfig __weak;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u64);
} watched_tgids SEC(".maps");

__u64 jiffies_now;
__u32 hz;

/* Only one thread runs a scan of these maps: scratch needs no copy per CPU. */
static struct ScanLock lock;
static struct ScanWaiter waiters[SCAN_MAX_WAITERS];
static struct ScanTask row;
static __u64 stack_words[STACK_WORDS];

/* Loop state lives in maps, not on the BPF stack: there the verifier would follow every value of
 * every counter through bpf_loop (6.5 and later) and give up. volatile: or clang splits the struct
 * and the kernel refuses the BTF of the pieces. */
static volatile struct {
  __u64 lock;
  __u64 head;
  __u64 node;
  __u32 found;
  __u32 flags;
} queue;
static volatile struct {
  __u64 mm;
  __u32 words;
  __u32 frame;
} search;

static __always_inline __u64 read_word(__u64 address) {
  __u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (const void*)address);
  return value;
}

static long queue_step(__u32 step, void* unused) {
  if (queue.node == queue.head) return 1;
  const __u32 at = queue.found;
  if (at >= SCAN_MAX_WAITERS) {
    queue.flags |= SCAN_LOCK_CUT;
    return 1;
  }
  const struct rwsem_waiter* waiter =
      (const void*)(queue.node - bpf_core_field_offset(struct rwsem_waiter, list));
  const struct task_struct* task = BPF_CORE_READ(waiter, task);
  const __u64 next = read_word(queue.node);
  if (!task || read_word(next + sizeof(__u64)) != queue.node) {
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
  bpf_probe_read_kernel(out->comm, sizeof(out->comm),
                        (const char*)task + bpf_core_field_offset(struct task_struct, comm));
  out->reader = BPF_CORE_READ(waiter, type) ==
                bpf_core_enum_value(enum rwsem_waiter_type, RWSEM_WAITING_FOR_READ);
  queue.found = at + 1;
  queue.node = next;
  return 0;
}

static __always_inline void describe_lock(const struct rw_semaphore* sem) {
  lock.head.kind = SCAN_LOCK;
  lock.head.size = sizeof(lock);
  lock.lock = (__u64)sem;
  lock.count = (__u64)BPF_CORE_READ(sem, count.counter);
  lock.owner = (__u64)BPF_CORE_READ(sem, owner.counter);
  lock.owner_tid = 0;
  lock.owner_tgid = 0;
  __builtin_memset(lock.owner_comm, 0, sizeof(lock.owner_comm));
  const struct task_struct* owner = (const void*)(lock.owner & ~7ULL);
  if (!owner) return;
  lock.owner_tid = BPF_CORE_READ(owner, pid);
  lock.owner_tgid = BPF_CORE_READ(owner, tgid);
  bpf_probe_read_kernel(lock.owner_comm, sizeof(lock.owner_comm),
                        (const char*)owner + bpf_core_field_offset(struct task_struct, comm));
}

static __always_inline void emit_lock(struct seq_file* seq, const struct rw_semaphore* sem,
                                      const struct mm_struct* mm, __s32 tgid) {
  struct SeenKey key = {(__u64)sem, 0};
  if (marked(&seen, &key)) return;
  lock.mm = (__u64)mm;
  lock.tgid = tgid;
  describe_lock(sem);
  queue.lock = (__u64)sem;
  queue.head = (__u64)sem + bpf_core_field_offset(struct rw_semaphore, wait_list);
  queue.found = 0;
  queue.flags = 0;
  queue.node = read_word(queue.head);
  bpf_loop(SCAN_MAX_WAITERS + 1, queue_step, 0, 0);
  lock.flags = queue.flags;
  lock.waiters = queue.found;
  if (bpf_seq_write(seq, &lock, sizeof(lock))) return;
  __u64 bytes = queue.found * sizeof(struct ScanWaiter);
  barrier_var(bytes); /* or clang tests queue.found, which tells the verifier nothing */
  if (bytes > sizeof(waiters)) return;
  if (bytes && bpf_seq_write(seq, waiters, bytes)) return;
  /* Only now: when the output did not fit, the kernel shows us this task again. */
  mark(&seen, &key);
  struct SeenKey owner = {lock.owner & ~7ULL, 1};
  if (owner.object) mark(&seen, &owner);
  struct SeenKey space = {(__u64)mm, 2};
  if (mm) mark(&seen, &space);
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

SEC("iter/task")
int find_locks(struct bpf_iter__task* ctx) {
  struct task_struct* task = ctx->task;
  if (!task) { /* after the last one */
    note_features();
    return 0;
  }
  struct mm_struct* mm = task->mm;
  if (mm && (mm->mmap_lock.count.counter & RWSEM_WAITERS))
    emit_lock(ctx->meta->seq,
              (const void*)((__u64)mm + bpf_core_field_offset(struct mm_struct, mmap_lock)), mm,
              task->tgid);
  if (bpf_core_field_exists(task->blocker) && blocked(task->__state)) {
    const __u64 word = task->blocker;
    if (word & BLOCKER_RWSEM) emit_lock(ctx->meta->seq, (const void*)(word & ~3ULL), 0, 0);
  }
  return 0;
}

static __always_inline __u64 stack_word(__u32 index) {
  return stack_words[index & (STACK_WORDS - 1)];
}

/* A vm_fault is a pointer to a VMA, followed by an address inside that VMA and the page offset that
 * belongs to that address. Nothing else on a stack satisfies all of it. */
static __always_inline int is_fault(__u32 at, struct ScanFault* out) {
  const __u64 vma = stack_word(at);
  const __u64 address = stack_word(at + bpf_core_field_offset(struct vm_fault, address) / 8);
  if (address >= USER_MAX || address < PAGE_BYTES || (address & (PAGE_BYTES - 1))) return 0;
  const struct vm_area_struct* area = (const void*)vma;
  const __u64 start = BPF_CORE_READ(area, vm_start);
  if (address < start || address >= BPF_CORE_READ(area, vm_end)) return 0;
  const __u64 pgoff = stack_word(at + bpf_core_field_offset(struct vm_fault, pgoff) / 8);
  if (pgoff != BPF_CORE_READ(area, vm_pgoff) + ((address - start) >> 12)) return 0;
  const __u64 mm = (__u64)BPF_CORE_READ(area, vm_mm);
  struct SeenKey contended = {mm, 2};
  if (mm != search.mm && !marked(&seen, &contended)) return 0;
  const __u32 offset = bpf_core_field_offset(struct vm_fault, flags);
  const __u32 flags = (__u32)(stack_word(at + offset / 8) >> ((offset & 4) * 8));
  out->mm = mm;
  out->address = address;
  out->pgoff = pgoff;
  out->frame = search.frame;
  out->bits = 0;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_TRIED)) out->bits |= SCAN_FAULT_TRIED;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_ALLOW_RETRY))
    out->bits |= SCAN_FAULT_ALLOW_RETRY;
  if (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_RETRY_NOWAIT))
    out->bits |= SCAN_FAULT_NOWAIT;
  if (bpf_core_enum_value_exists(enum fault_flag, FAULT_FLAG_VMA_LOCK) &&
      (flags & bpf_core_enum_value(enum fault_flag, FAULT_FLAG_VMA_LOCK)))
    out->bits |= SCAN_FAULT_VMA_LOCK;
  if (BPF_CORE_READ(area, vm_file)) out->bits |= SCAN_FAULT_FILE;
  return 1;
}

static long stack_step(__u32 at, void* unused) {
  if (at >= search.words) return 1;
  const __u64 word = stack_word(at);
  if (word < KERNEL_MIN) return 0;
  const __u32 frame = search.frame;
  if (frame < SCAN_FRAMES && word == row.frames[frame]) {
    search.frame = frame + 1;
    return 0;
  }
  if (word & 7) return 0;
  const __u32 slot = row.faults & (SCAN_FAULTS - 1);
  if (is_fault(at, &row.fault[slot])) row.faults++;
  return 0;
}

static __always_inline void search_faults(struct task_struct* task) {
  if (!bpf_core_field_exists(task->thread.sp)) return;
  const __u64 stack = (__u64)BPF_CORE_READ(task, stack);
  const __u64 sp = BPF_CORE_READ(task, thread.sp);
  const __u64 used = stack + STACK_BYTES - sp;
  if (sp < stack || used > STACK_BYTES) return;
  search.mm = row.mm;
  search.words = (__u32)(used / 8);
  search.frame = 0;
  if (bpf_probe_read_kernel(stack_words, used & (STACK_BYTES - 1), (const void*)sp)) return;
  bpf_loop(search.words, stack_step, 0, 0);
}

static __always_inline __u32 why_emit(struct task_struct* task) {
  __u32 why = blocked(task->__state) ? SCAN_WHY_BLOCKED : 0;
  __u32 tid = (__u32)task->pid, tgid = (__u32)task->tgid;
  struct SeenKey owner = {(__u64)task, 1};
  if (bpf_map_lookup_elem(&watched_tgids, &tgid)) why |= SCAN_WHY_WATCHED;
  if (marked(&server_tgids, &tgid)) why |= SCAN_WHY_SERVER;
  if (marked(&request_tids, &tid)) why |= SCAN_WHY_REQUEST;
  if (marked(&seen, &owner)) why |= SCAN_WHY_OWNER;
  return why;
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
  row.faults = 0;
  __builtin_memset(row.fault, 0, sizeof(row.fault));
  __builtin_memset(row.frames, 0, sizeof(row.frames));
  bpf_probe_read_kernel(row.comm, sizeof(row.comm), task->comm);
  row.stack_bytes = (__s32)bpf_get_task_stack(task, row.frames, sizeof(row.frames), 0);
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
  describe_task(task);
  if (row.state && (contended || (why & (SCAN_WHY_BLOCKED | SCAN_WHY_REQUEST | SCAN_WHY_OWNER))))
    search_faults(task);
  if (row.faults) why |= SCAN_WHY_FAULT;
  if (!why) return 0;
  row.why = why;
  row.moved = row.switches != task->nvcsw + task->nivcsw || row.state != task->__state;
  bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
  return 0;
}
