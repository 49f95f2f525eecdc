// SPDX-License-Identifier: Apache-2.0
// Locks of single VMAs (6.4 and later). A page fault holds one instead of mmap_lock and nothing
// records it, so both sides are inferred from stacks: a task that waits in __vma_start_write waits
// for some fault of its own address space.
#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "harness/explain/scene.h"

namespace stallproof {
namespace {

bool same_space(const TaskRow& a, const TaskRow& b) {
  if (a.mm != 0 && b.mm != 0) return a.mm == b.mm;
  if (a.tgid != 0 && b.tgid != 0) return a.tgid == b.tgid;
  return a.comm == b.comm;
}

// filemap_fault gives a VMA's lock up before it waits, as it does with mmap_lock on a first try.
bool may_hold_vma(const SceneTask& task) {
  if (!task.seen || task.lock != kNone || task.reading.doing != Doing::page_fault) return false;
  if (task.row->state != 'D' && task.row->state != 'S' && task.row->state != '?') return false;
  const Wait wait = task.reading.wait;
  if (wait == Wait::running || wait == Wait::halted || wait == Wait::user_fault) return false;
  if (task.row->fault && !task.row->fault->vma_lock && !task.row->fault->mkwrite) return false;
  return !task.reading.file_fault;
}

std::string holder_evidence(const SceneTask& task) {
  const std::string_view how = !task.row->fault ? "its stack shows a page fault"
                               : task.row->fault->vma_lock
                                   ? "vm_fault on its stack: under the VMA's lock"
                                   : "vm_fault on its stack: in page_mkwrite";
  return fmt::format(
      "asleep in {} in a fault of the same address space ({}); the kernel records "
      "no holder of a VMA's lock",
      task.reading.wait_function, how);
}

}  // namespace

void infer_vma_locks(Scene& scene) {
  const std::size_t first = scene.locks.size();
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    if (scene.tasks[t].reading.wait != Wait::vma_lock || scene.tasks[t].lock != kNone) continue;
    const TaskRow& row = *scene.tasks[t].row;
    std::size_t lock = first;
    while (lock < scene.locks.size() &&
           !same_space(*scene.tasks[scene.locks[lock].waiters.front().task].row, row))
      ++lock;
    if (lock == scene.locks.size()) {
      SceneLock made;
      made.kind = LockKind::vma_lock;
      made.mm = row.mm;
      made.tgid = row.tgid;
      made.owner_comm = row.comm;
      scene.locks.push_back(std::move(made));
    }
    enqueue(scene, lock,
            {t, LockMode::write, Certainty::inferred,
             fmt::format("sleeps in {} until page faults let go of a VMA",
                         scene.tasks[t].reading.wait_function)});
  }
  for (std::size_t lock = first; lock < scene.locks.size(); ++lock)
    for (std::size_t t = 0; t < scene.tasks.size(); ++t)
      if (may_hold_vma(scene.tasks[t]) &&
          same_space(*scene.tasks[scene.locks[lock].waiters.front().task].row, *scene.tasks[t].row))
        scene.locks[lock].holders.push_back(
            {t, LockMode::read, Certainty::inferred, holder_evidence(scene.tasks[t])});
}

}  // namespace stallproof
