// SPDX-License-Identifier: Apache-2.0
// Locks of the scene as the lens gives them, and those its stacks imply where it gives none.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "harness/explain/scene.h"

namespace stallproof {
namespace {

std::string row_evidence(const LockWaiter& waiter, std::size_t place, bool queue_known) {
  if (!queue_known) return "reported as waiter by the lens";
  std::string text = fmt::format("entry {} of the lock's wait list", place + 1);
  if (waiter.source_line != 0) text += fmt::format(", line {}", waiter.source_line);
  return text;
}

// A text names no lock kind: a waiter in a function that takes an mmap_lock tells it.
void name_lock(Scene& scene, SceneLock& lock) {
  for (const SceneWaiter& waiter : lock.waiters) {
    const SceneTask& task = scene.tasks[waiter.task];
    const bool client = task.reading.wait == Wait::lock && task.reading.client_lock.fs != nullptr;
    if (client || task.reading.own_mm) lock.kind = LockKind::mmap_lock;
    if (!task.reading.own_mm) continue;
    if (lock.owner_comm.empty()) lock.owner_comm = task.row->comm;
    if (lock.mm == 0) lock.mm = task.row->mm;
    if (lock.tgid == 0) lock.tgid = task.row->tgid;
  }
}

SceneLock from_row(const LockRow& row) {
  SceneLock lock;
  lock.kind = row.kind;
  lock.address = row.address;
  lock.mm = row.mm;
  lock.tgid = row.tgid;
  lock.order_known = row.queue_known;
  lock.truncated = row.queue_truncated;
  lock.writer_holds = row.writer_holds;
  lock.reader_count = row.reader_count;
  return lock;
}

// A last-owner hint may be stale: rwsem_set_reader_owned keeps the last reader that came, gone or
// not (kernel/locking/rwsem.c, 5.3 to 6.18).
bool contradicted(const Scene& scene, const LockRow& row, const LockHolder& holder) {
  if (holder.certainty != Certainty::likely || holder.mode == LockMode::write) return false;
  if (row.writer_holds.value_or(false) || row.reader_count == 0U) return true;
  const auto found = scene.by_tid.find(holder.tid);
  if (found == scene.by_tid.end()) return false;
  const SceneTask& task = scene.tasks[found->second];
  if (task.lock != kNone) return true;
  return task.row->fault && !holds_own_mmap_lock(*task.row, task.reading).holds;
}

void add_holders(Scene& scene, std::size_t index, const LockRow& row) {
  for (const LockHolder& holder : row.holders) {
    if (contradicted(scene, row, holder)) continue;
    const std::size_t task = scene.task_of_tid(holder.tid);
    std::vector<SceneHolder>& holders = scene.locks[index].holders;
    const bool known = std::any_of(holders.begin(), holders.end(),
                                   [task](const SceneHolder& other) { return other.task == task; });
    if (!known) holders.push_back({task, holder.mode, holder.certainty, holder.evidence});
  }
}

// Threads of one process share an mm; a text that knows neither has only the name to go by.
struct MmKey {
  std::uint64_t mm = 0;
  std::int32_t tgid = 0;
  std::string comm;
  bool operator<(const MmKey& other) const {
    return std::tie(mm, tgid, comm) < std::tie(other.mm, other.tgid, other.comm);
  }
};

MmKey key_of(std::uint64_t mm, std::int32_t tgid, const std::string& comm) {
  if (mm != 0) return {mm, 0, {}};
  if (tgid != 0) return {0, tgid, {}};
  return {0, 0, comm};
}

std::string stack_evidence(const SceneTask& task) {
  return fmt::format("sleeps in {} for it{}",
                     task.reading.doing_function.empty() ? task.reading.wait_function
                                                         : task.reading.doing_function,
                     task.row->source_line == 0
                         ? std::string{}
                         : fmt::format(" (stack at line {})", task.row->source_line));
}

// Queue order is not known here; a blocked reader beside a queued writer must be behind it, since
// readers pass readers.
void sort_writers_first(Scene& scene, SceneLock& lock) {
  const auto rank = [&scene](const SceneWaiter& waiter) {
    const TaskRow& row = *scene.tasks[waiter.task].row;
    return std::make_tuple(waiter.mode == LockMode::read, row.tid, row.task_address);
  };
  std::sort(lock.waiters.begin(), lock.waiters.end(),
            [&rank](const SceneWaiter& a, const SceneWaiter& b) { return rank(a) < rank(b); });
  for (std::size_t place = 0; place < lock.waiters.size(); ++place)
    scene.tasks[lock.waiters[place].task].queue_place = place;
}

// Readers pass readers: where they queue, a writer must be among them. If no stack shows one, it is
// the task that may be either.
void find_hidden_writer(Scene& scene, SceneLock& lock) {
  if (lock.first_writer() != kNone) return;
  const auto unsure = [&scene](const SceneWaiter& waiter) {
    return scene.tasks[waiter.task].reading.mode_unsure;
  };
  const bool readers =
      !std::all_of(lock.waiters.begin(), lock.waiters.end(), unsure) ||
      std::any_of(scene.tasks.begin(), scene.tasks.end(), [](const SceneTask& task) {
        return task.reading.wait == Wait::lock && task.reading.client_lock.fs != nullptr;
      });
  if (!readers) return;
  for (SceneWaiter& waiter : lock.waiters) {
    if (!unsure(waiter)) continue;
    waiter.mode = LockMode::write;
    waiter.evidence += "; as writer, since readers queue and nobody else can be it";
  }
}

}  // namespace

void enqueue(Scene& scene, std::size_t lock, SceneWaiter waiter) {
  SceneTask& task = scene.tasks[waiter.task];
  if (task.lock != kNone) return;
  task.lock = lock;
  task.queue_place = scene.locks[lock].waiters.size();
  scene.locks[lock].waiters.push_back(std::move(waiter));
}

void add_lock_rows(Scene& scene, const LockSnapshot& snapshot) {
  for (const LockRow& row : snapshot.locks) {
    if (row.waiters.empty() && row.holders.empty()) continue;
    const std::size_t index = scene.locks.size();
    scene.locks.push_back(from_row(row));
    for (std::size_t place = 0; place < row.waiters.size(); ++place) {
      const LockWaiter& waiter = row.waiters[place];
      SceneWaiter entry{.task = scene.task_of(waiter),
                        .mode = waiter.mode,
                        .certainty = Certainty::exact,
                        .evidence = row_evidence(waiter, place, row.queue_known)};
      enqueue(scene, index, std::move(entry));
    }
    name_lock(scene, scene.locks[index]);
    add_holders(scene, index, row);
  }
}

void infer_locks(Scene& scene) {
  // The kernel's own list is complete: a stack beside it is at most a moment older.
  if (reads_queues(scene.lens) && !scene.locks.empty()) return;
  std::map<MmKey, std::size_t> locks;
  for (std::size_t i = 0; i < scene.locks.size(); ++i) {
    const SceneLock& lock = scene.locks[i];
    if (lock.kind == LockKind::mmap_lock)
      locks.emplace(key_of(lock.mm, lock.tgid, lock.owner_comm), i);
  }
  const std::size_t given = scene.locks.size();
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    if (task.lock != kNone || !task.reading.own_mm) continue;
    const TaskRow& row = *task.row;
    const auto found = locks.emplace(key_of(row.mm, row.tgid, row.comm), scene.locks.size());
    if (found.second) {
      SceneLock lock;
      lock.mm = row.mm;
      lock.tgid = row.tgid;
      lock.owner_comm = row.comm;
      scene.locks.push_back(std::move(lock));
    }
    enqueue(scene, found.first->second,
            {t, task.reading.lock_mode, Certainty::inferred, stack_evidence(task)});
  }
  for (std::size_t i = given; i < scene.locks.size(); ++i) {
    find_hidden_writer(scene, scene.locks[i]);
    sort_writers_first(scene, scene.locks[i]);
  }
}

void infer_client_waits(Scene& scene) {
  std::vector<std::size_t> waiting;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    if (task.lock == kNone && task.reading.wait == Wait::lock &&
        task.reading.client_lock.fs != nullptr)
      waiting.push_back(t);
  }
  if (waiting.empty() || (reads_queues(scene.lens) && !scene.locks.empty())) return;
  // Whose lock it is can be told only if there is just one to choose from.
  std::vector<std::size_t> held;
  for (std::size_t i = 0; i < scene.locks.size(); ++i)
    if (scene.locks[i].kind == LockKind::mmap_lock && scene.locks[i].first_writer() != kNone)
      held.push_back(i);
  std::size_t target = held.size() == 1 ? held.front() : kNone;
  if (target == kNone) {
    SceneLock lock;
    lock.of_client = true;
    target = scene.locks.size();
    scene.locks.push_back(std::move(lock));
  }
  for (const std::size_t t : waiting) {
    const SceneTask& task = scene.tasks[t];
    const FsMatch& match = task.reading.client_lock;
    enqueue(scene, target,
            {t, task.reading.lock_mode, Certainty::inferred,
             fmt::format("sleeps in {} for a client's mmap_lock: {}", match.function,
                         cite(*match.fs, "locks_client_mm", *match.pattern))});
  }
}

}  // namespace stallproof
