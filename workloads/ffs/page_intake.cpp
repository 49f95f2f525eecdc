// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/page_intake.h"

#include "workloads/ffs/open_hazards.h"

namespace stallproof {

const BoardSlot* PageIntake::slot_of(std::uint32_t tid) {
  const auto cached = slot_by_tid_.find(tid);
  if (cached != slot_by_tid_.end() && cached->second->tid.load(std::memory_order_relaxed) == tid)
    return cached->second;
  for (const BoardSlot& slot : board_.slots()) {
    if (slot.tid.load(std::memory_order_relaxed) != tid) continue;
    slot_by_tid_[tid] = &slot;
    return &slot;
  }
  return nullptr;
}

bool PageIntake::error_due(std::uint64_t armed_ns, const ServiceJob& job) {
  if (job.inode == kDataInode) return errors_.error_due(armed_ns, job.offset, job.length);
  return tree_errors_.error_due(armed_ns, job.inode, job.offset, job.length);
}

void PageIntake::admit(ServiceJob& job) {
  ServicePanel& panel = board_.header().service;
  const auto tid = static_cast<std::uint32_t>(job.client);
  const BoardSlot* slot = slot_of(tid);
  const std::uint64_t op = slot == nullptr ? 0 : slot->ops.load(std::memory_order_acquire);
  const bool again = tries_.second_try(
      {.tid = tid, .op = op, .offset = job.offset, .length = job.length, .inode = job.inode});
  if (again && slot != nullptr) {
    panel.hazards.fetch_add(1, std::memory_order_relaxed);
    job.hazard = open_hazard(panel, tid, job.offset);
  }
  switch (static_cast<Behaviour>(panel.behaviour.load(std::memory_order_acquire))) {
    case Behaviour::read_error:
      job.answer_error = error_due(panel.armed_ns.load(std::memory_order_relaxed), job);
      break;
    case Behaviour::invalidate:
      // The second try must find its page, or the fault would never end.
      job.invalidate_after = !again;
      break;
    default:
      break;
  }
}

}  // namespace stallproof
