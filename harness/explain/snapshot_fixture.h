// SPDX-License-Identifier: Apache-2.0
// Snapshots built by hand for tests and benchmarks: the reported stall as the live lens sees it
// over FUSE, and the pieces to vary it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/explain/explanation.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof::fixture {

inline constexpr std::int32_t kClient = 100;  // process ids
inline constexpr std::int32_t kServer = 200;
inline constexpr std::uint64_t kClientMm = 0xffff888100000000;
inline constexpr std::uint64_t kServerMm = 0xffff888200000000;

struct TaskSpec {
  std::int32_t tid = 0;
  std::string comm{};
  char state = 'D';
  std::vector<std::string> stack{};
  std::optional<Nanos> unchanged{2 * kSecond};
};

inline TaskRow task(std::int32_t tgid, std::uint64_t mm, const TaskSpec& spec) {
  TaskRow row;
  row.tid = spec.tid;
  row.tgid = tgid;
  row.mm = mm;
  row.comm = spec.comm;
  row.state = spec.state;
  row.unchanged_for = spec.unchanged;
  for (const std::string& function : spec.stack) row.stack.push_back({function, "", 0});
  return row;
}
inline TaskRow client(const TaskSpec& spec) { return task(kClient, kClientMm, spec); }
inline TaskRow server(const TaskSpec& spec) { return task(kServer, kServerMm, spec); }

// Stacks as 6.18 shows them live: no __sched frames.
inline std::vector<std::string> second_try_fault() {
  return {"request_wait_answer",
          "__fuse_simple_request",
          "fuse_do_readfolio",
          "filemap_read_folio",
          "filemap_fault",
          "__do_fault",
          "do_fault",
          "__handle_mm_fault",
          "handle_mm_fault",
          "do_user_addr_fault",
          "exc_page_fault",
          "asm_exc_page_fault"};
}
inline std::vector<std::string> mprotect_wait() {
  return {"do_mprotect_pkey", "__x64_sys_mprotect", "do_syscall_64"};
}
inline std::vector<std::string> service_wait() {
  return {"process_vm_rw_core.constprop.0", "process_vm_rw", "__x64_sys_process_vm_writev"};
}
inline std::vector<std::string> service_idle() {
  return {"futex_do_wait", "__futex_wait", "futex_wait", "do_futex", "__x64_sys_futex"};
}
inline std::vector<std::string> hand_over() { return {"fuse_dev_do_read", "fuse_dev_read"}; }

inline TaskRow faulter(std::int32_t tid) {
  TaskRow row = client({.tid = tid, .comm = "load", .state = 'S', .stack = second_try_fault()});
  row.fault = FaultState{.address = 0x7f0000000000, .vma_lock = false, .tried = true};
  return row;
}
inline LockHolder read_holder(std::int32_t tid) {
  return {.tid = tid,
          .mode = LockMode::read,
          .certainty = Certainty::inferred,
          .evidence = "vm_fault on its stack: second try, no VMA lock"};
}
inline LockWaiter waits(std::int32_t tid, LockMode mode) {
  return {.tid = tid, .task_address = 0, .mode = mode};
}
inline LockRow client_lock(std::vector<LockHolder> holders, std::vector<LockWaiter> waiters) {
  LockRow lock;
  lock.kind = LockKind::mmap_lock;
  lock.address = kClientMm + 0x80;
  lock.mm = kClientMm;
  lock.tgid = kClient;
  lock.holders = std::move(holders);
  lock.waiters = std::move(waiters);
  lock.queue_known = true;
  return lock;
}
inline FuseRequest request(std::int32_t tid, std::uint32_t opcode, Nanos age) {
  return {.unique = static_cast<std::uint64_t>(tid) * 2,
          .opcode = opcode,
          .client_tid = tid,
          .place = RequestPlace::processing,
          .age = age};
}
inline FuseConnection connection(std::vector<FuseRequest> requests) {
  FuseConnection fuse;
  fuse.number = 41;
  fuse.waiting = static_cast<std::uint32_t>(requests.size());
  fuse.server_tgids = {kServer};
  fuse.requests = std::move(requests);
  return fuse;
}

// One faulter (101), one mprotect (102), two service threads (201, 202) behind it, the thread that
// hands over (200).
inline LockSnapshot reported_stall() {
  LockSnapshot snapshot;
  snapshot.lens = LensKind::live_bpf;
  snapshot.kernel = "6.18.0";
  snapshot.tasks = {
      faulter(101),
      client({.tid = 102, .comm = "load", .stack = mprotect_wait()}),
      server({.tid = 200, .comm = "ffs", .state = 'S', .stack = hand_over()}),
      server({.tid = 201, .comm = "dataio_srv/0", .stack = service_wait()}),
      server({.tid = 202, .comm = "dataio_srv/1", .stack = service_wait()}),
  };
  snapshot.locks = {client_lock(
      {read_holder(101)},
      {waits(102, LockMode::write), waits(201, LockMode::read), waits(202, LockMode::read)})};
  snapshot.fuse = {connection({request(101, 15, 2 * kSecond)})};
  return snapshot;
}

inline FsKnowledge shipped() {
  auto knowledge = FsKnowledge::shipped();
  return knowledge ? *knowledge : FsKnowledge{};
}

inline const ExplainedNode* node(const Explanation& explanation, const std::string& id) {
  for (const ExplainedNode& found : explanation.nodes)
    if (found.id == id) return &found;
  return nullptr;
}
inline const ExplainedEdge* edge(const Explanation& explanation, const std::string& from,
                                 const std::string& to) {
  for (const ExplainedEdge& found : explanation.edges)
    if (found.from == from && found.to == to) return &found;
  return nullptr;
}
inline Role role(const Explanation& explanation, const std::string& id) {
  const ExplainedNode* found = node(explanation, id);
  return found == nullptr ? Role::none : found->role;
}
inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace stallproof::fixture
