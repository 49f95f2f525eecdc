// SPDX-License-Identifier: GPL-2.0-only
// First pass: every /dev/fuse that a process has open, its connection, and the requests that wait
// in it. Its own object, because where FUSE is a module its types are in the module's BTF: without
// them only this view is lost. Takes no lock: it reads lists that may change, bounded and checked.
//
// fs/fuse/dev.c, 5.17 to 6.18: fc->bg_queue and fc->iq.pending hold what the server has not read,
// fuse_dev.pq.io what is being copied, pq.processing (256 buckets by unique) what it has not
// answered. Requests handed over by FUSE-over-io_uring (6.14) are in none of them.

#include "harness/probe/kernel_types.h"
#include "harness/probe/scan_maps.bpf.h"
#include "harness/probe/scan_record.h"

char LICENSE[] SEC("license") = "GPL";

#define FUSE_RDEV ((10u << 20) | 229u)
#define FUSE_BUCKETS 256 /* FUSE_PQ_HASH_SIZE, fs/fuse/fuse_i.h */

/* Only one thread runs a scan of these maps: scratch needs no copy per CPU. */
static struct ScanRequest requests[SCAN_MAX_REQUESTS];
static struct ScanConnection connection;

enum Place { PENDING, BACKGROUND, COPYING, PROCESSING };

/* In a map, not on the BPF stack: there the verifier would follow every value of every counter
 * through bpf_loop (6.5 and later) and give up. volatile: or clang splits the struct and
 * the kernel refuses the BTF of the pieces. */
static volatile struct {
  __u64 fc;
  __u64 dev;
  __u64 buckets;
  __u64 head;
  __u64 node;
  __u32 list;
  __u32 found;
  __u32 flags;
  __u32 number;
} walk;

static __always_inline __u64 read_word(__u64 address) {
  __u64 value = 0;
  bpf_probe_read_kernel(&value, sizeof(value), (const void*)address);
  return value;
}

static __always_inline __u64 list_address(void) {
  if (walk.list == PENDING)
    return walk.fc + bpf_core_field_offset(struct fuse_conn, iq) +
           bpf_core_field_offset(struct fuse_iqueue, pending);
  if (walk.list == BACKGROUND) return walk.fc + bpf_core_field_offset(struct fuse_conn, bg_queue);
  if (walk.list == COPYING)
    return walk.dev + bpf_core_field_offset(struct fuse_dev, pq) +
           bpf_core_field_offset(struct fuse_pqueue, io);
  return walk.buckets + (walk.list - PROCESSING) * bpf_core_type_size(struct list_head);
}

static __always_inline void take_request(void) {
  const struct fuse_req* req =
      (const void*)(walk.node - bpf_core_field_offset(struct fuse_req, list));
  const __u32 at = walk.found;
  if (at >= SCAN_MAX_REQUESTS) return;
  struct ScanRequest* out = &requests[at];
  out->head.kind = SCAN_REQUEST;
  out->head.size = sizeof(*out);
  out->request = (__u64)req;
  out->unique = BPF_CORE_READ(req, in.h.unique);
  out->opcode = BPF_CORE_READ(req, in.h.opcode);
  __u32 client = BPF_CORE_READ(req, in.h.pid);
  out->client = (__s32)client;
  out->number = walk.number;
  out->processing = walk.list >= COPYING;
  out->create_time = 0;
  if (bpf_core_field_exists(req->create_time)) out->create_time = BPF_CORE_READ(req, create_time);
  if (client && !(walk.flags & SCAN_CONN_PID_NS)) mark(&request_tids, &client);
  walk.found = at + 1;
}

/* One step: either the next list, or the next request of this one. */
static long walk_step(__u32 step, void* unused) {
  if (walk.node == walk.head) {
    walk.list++;
    if (walk.list >= PROCESSING + FUSE_BUCKETS) return 1;
    walk.head = list_address();
    walk.node = read_word(walk.head);
    return 0;
  }
  if (!walk.node) {
    walk.flags |= SCAN_CONN_TORN;
    walk.node = walk.head;
    return 0;
  }
  if (walk.found >= SCAN_MAX_REQUESTS) {
    walk.flags |= SCAN_CONN_CUT;
    return 1;
  }
  take_request();
  const __u64 next = read_word(walk.node);
  if (read_word(next + sizeof(__u64)) != walk.node) {
    walk.flags |= SCAN_CONN_TORN;
    walk.node = walk.head;
    return 0;
  }
  walk.node = next;
  return 0;
}

static __always_inline void describe(const struct fuse_conn* fc, const struct task_struct* task) {
  connection.head.kind = SCAN_CONNECTION;
  connection.head.size = sizeof(connection);
  connection.fc = (__u64)fc;
  connection.number = BPF_CORE_READ(fc, dev);
  connection.waiting = BPF_CORE_READ(fc, num_waiting.counter);
  connection.server_tgid = task->tgid;
  connection.flags = 0;
  if (BPF_CORE_READ(fc, pid_ns, level)) connection.flags |= SCAN_CONN_PID_NS;
  if (bpf_core_field_exists(fc->ring) && BPF_CORE_READ(fc, ring))
    connection.flags |= SCAN_CONN_RING;
}

SEC("iter/task_file")
int scan_fuse(struct bpf_iter__task_file* ctx) {
  struct task_struct* task = ctx->task;
  struct file* file = ctx->file;
  if (!task || !file) { /* after the last one */
    if (bpf_core_field_exists(struct fuse_req, create_time)) features |= SCAN_HAS_CREATE_TIME;
    features |= SCAN_HAS_FUSE;
    return 0;
  }
  if (file->f_inode->i_rdev != FUSE_RDEV) return 0;
  const struct fuse_dev* dev = (const void*)((__u64)BPF_CORE_READ(file, private_data) & ~7ULL);
  const struct fuse_conn* fc = dev ? BPF_CORE_READ(dev, fc) : 0;
  if (!fc) return 0;
  __u32 tgid = (__u32)task->tgid;
  mark(&server_tgids, &tgid);
  describe(fc, task);
  struct SeenKey pair = {(__u64)fc, tgid}, queue = {(__u64)fc, 0}, one_dev = {(__u64)dev, 0};
  walk.fc = (__u64)fc;
  walk.dev = (__u64)dev;
  walk.number = connection.number;
  walk.flags = connection.flags;
  walk.head = walk.node = 0;
  walk.found = 0;
  const int known_dev = marked(&seen, &one_dev);
  if (known_dev && marked(&seen, &pair)) return 0;
  if (!known_dev) {
    walk.buckets = (__u64)BPF_CORE_READ(dev, pq.processing);
    /* node == head == 0: the first step goes to list + 1. */
    walk.list = marked(&seen, &queue) ? BACKGROUND : (__u32)-1;
    bpf_loop(PROCESSING + FUSE_BUCKETS + SCAN_MAX_REQUESTS + 8, walk_step, 0, 0);
    connection.flags = walk.flags;
  }
  struct seq_file* seq = ctx->meta->seq;
  if (bpf_seq_write(seq, &connection, sizeof(connection))) return 0;
  __u64 bytes = walk.found * sizeof(struct ScanRequest);
  barrier_var(bytes); /* or clang tests walk.found, which tells the verifier nothing */
  if (bytes > sizeof(requests)) return 0;
  if (bytes && bpf_seq_write(seq, requests, bytes)) return 0;
  /* Only now: when the output did not fit, the kernel shows us this file again. */
  mark(&seen, &pair);
  mark(&seen, &queue);
  mark(&seen, &one_dev);
  return 0;
}
