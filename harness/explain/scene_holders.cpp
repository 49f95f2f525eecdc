// SPDX-License-Identifier: Apache-2.0
// Who holds an mmap_lock, where the lens does not say: an rwsem keeps no list of its readers, so
// only their stacks can tell (a task asleep inside a page fault has not released it).
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "harness/explain/scene.h"

namespace stallproof {
namespace {

struct Candidate {
  std::size_t task = kNone;
  LockMode mode = LockMode::read;
};

struct Candidates {
  std::unordered_map<std::uint64_t, std::vector<Candidate>> by_mm;
  std::unordered_map<std::int32_t, std::vector<Candidate>> by_tgid;
  std::unordered_map<std::string, std::vector<Candidate>> by_comm;
  std::unordered_map<std::int32_t, std::vector<Candidate>> by_parent;
};

// Everybody's: init and the kernel's own.
constexpr std::int32_t kCommonParents = 2;

Candidates find_candidates(const Scene& scene) {
  Candidates found;
  std::set<std::size_t> holds_vma;
  for (const SceneLock& lock : scene.locks)
    if (lock.kind == LockKind::vma_lock)
      for (const SceneHolder& holder : lock.holders) holds_vma.insert(holder.task);
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    // Who waits for a VMA's lock has mmap_lock; who holds a VMA's lock has not.
    const bool for_vma = task.lock != kNone && scene.locks[task.lock].kind == LockKind::vma_lock;
    if ((task.lock != kNone && !for_vma) || !task.seen || holds_vma.contains(t)) continue;
    // Live lenses tell sleep from work; in a text '?' counts as asleep.
    if (task.row->state == 'Z' || task.row->state == 'I' || task.row->state == 'T') continue;
    const HoldsByStack holds = holds_own_mmap_lock(*task.row, task.reading);
    if (!holds.holds) continue;
    const Candidate candidate{t, holds.mode};
    if (task.row->mm != 0) found.by_mm[task.row->mm].push_back(candidate);
    if (task.row->tgid != 0) found.by_tgid[task.row->tgid].push_back(candidate);
    if (task.row->mm == 0 && task.row->tgid == 0)
      found.by_comm[task.row->comm].push_back(candidate);
    if (task.row->mm == 0 && task.row->tgid == 0 && task.row->parent_tgid > kCommonParents)
      found.by_parent[task.row->parent_tgid].push_back(candidate);
  }
  return found;
}

// Of the first of its waiters that asks for its own lock; 0 when no text says so.
std::int32_t parent_of_waiter(const Scene& scene, const SceneLock& lock) {
  for (const SceneWaiter& waiter : lock.waiters) {
    const SceneTask& task = scene.tasks[waiter.task];
    if (task.reading.own_mm) return task.row->parent_tgid;
  }
  return 0;
}

// The candidates that can be tied to the lock, and by what.
std::pair<std::vector<Candidate>, std::string> tied_to(const Scene& scene, const SceneLock& lock,
                                                       const Candidates& all) {
  if (const auto mm = all.by_mm.find(lock.mm); lock.mm != 0 && mm != all.by_mm.end())
    return {mm->second, "of the same address space"};
  if (const auto tgid = all.by_tgid.find(lock.tgid); lock.tgid != 0 && tgid != all.by_tgid.end())
    return {tgid->second, fmt::format("of the same process {}", lock.tgid)};
  const bool anonymous = lock.mm == 0 && lock.tgid == 0 && lock.owner_comm.empty();
  if (anonymous && all.by_comm.size() == 1 && all.by_comm.begin()->second.size() == 1)
    return {all.by_comm.begin()->second, "and no other task found holds an mmap_lock"};
  const auto comm = all.by_comm.find(lock.owner_comm);
  if (!lock.owner_comm.empty() && comm != all.by_comm.end())
    return {comm->second, fmt::format("with the waiting writer's name \"{}\"", lock.owner_comm)};
  const auto parent = all.by_parent.find(parent_of_waiter(scene, lock));
  if (lock.mm != 0 || lock.tgid != 0 || parent == all.by_parent.end()) return {{}, {}};
  return {parent->second,
          fmt::format("with the waiting writer's parent {}, as threads of one process have",
                      parent->first)};
}

std::size_t solid_holders(const SceneLock& lock) {
  return static_cast<std::size_t>(std::count_if(
      lock.holders.begin(), lock.holders.end(),
      [](const SceneHolder& holder) { return holder.certainty != Certainty::likely; }));
}

// Every holder is known for certain enough, or the lock's own count says there is none to find.
bool complete(const SceneLock& lock) {
  if (!lock.holders.empty() && lock.holders.front().mode == LockMode::write) return true;
  if (!lock.reader_count || lock.writer_holds.value_or(false)) return false;
  return solid_holders(lock) >= *lock.reader_count;
}

// The last-owner hint adds nothing once the stacks account for every reader counted.
void drop_hints(SceneLock& lock) {
  if (!lock.reader_count || lock.writer_holds.value_or(false)) return;
  if (*lock.reader_count == 0 || solid_holders(lock) < *lock.reader_count) return;
  std::erase_if(lock.holders,
                [](const SceneHolder& holder) { return holder.certainty == Certainty::likely; });
}

std::string evidence_of(const Scene& scene, const Candidate& candidate, std::size_t others,
                        const std::string& tie) {
  const TaskReading& reading = scene.tasks[candidate.task].reading;
  const std::string who = others == 0 ? std::string{"the only task found "}
                                      : fmt::format("one of {} tasks found ", others + 1);
  const std::string where =
      reading.doing == Doing::page_fault
          ? fmt::format("asleep inside a page fault ({} below {})", reading.wait_function,
                        reading.doing_function)
          : fmt::format("asleep inside {} ({})", reading.doing_function, reading.wait_function);
  return who + where + ", " + tie;
}

}  // namespace

void infer_holders(Scene& scene) {
  const Candidates candidates = find_candidates(scene);
  for (SceneLock& lock : scene.locks) {
    if (lock.kind != LockKind::mmap_lock || lock.waiters.empty()) continue;
    if (complete(lock)) {
      drop_hints(lock);
      continue;
    }
    const auto tied = tied_to(scene, lock, candidates);
    const LockMode mode = lock.writer_holds.value_or(false) ? LockMode::write : LockMode::read;
    for (const Candidate& candidate : tied.first) {
      if (lock.writer_holds && candidate.mode != mode && mode == LockMode::write) continue;
      const bool known = std::any_of(
          lock.holders.begin(), lock.holders.end(),
          [&candidate](const SceneHolder& holder) { return holder.task == candidate.task; });
      if (known) continue;
      const LockMode held = lock.writer_holds ? mode : candidate.mode;
      lock.holders.push_back({candidate.task, held, Certainty::inferred,
                              evidence_of(scene, candidate, tied.first.size() - 1, tied.second)});
    }
    drop_hints(lock);
  }
}

}  // namespace stallproof
