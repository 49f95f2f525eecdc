// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/story.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"

namespace stallproof {
namespace {

// Seen asleep long enough. A lens that looked twice gives no time for a task that moved; one that
// looked once gives none at all, and then nobody can tell.
bool task_settled(const Scene& scene, const SceneTask& task) {
  if (scene.lens == LensKind::crash_text) return true;
  if (task.row->unchanged_for) return *task.row->unchanged_for >= kSettled;
  return !scene.looked_twice;
}

bool lock_settled(const Scene& scene, const SceneLock& lock) {
  return std::any_of(lock.waiters.begin(), lock.waiters.end(), [&scene](const SceneWaiter& waiter) {
    return task_settled(scene, scene.tasks[waiter.task]);
  });
}

std::vector<bool> tasks_that_hold(const Scene& scene) {
  std::vector<bool> holds(scene.tasks.size(), false);
  for (const SceneLock& lock : scene.locks)
    for (const SceneHolder& holder : lock.holders) holds[holder.task] = true;
  return holds;
}

bool blocked_for_unknown_reason(const Scene& scene, const SceneTask& task) {
  const Wait wait = task.reading.wait;
  if (!task.seen || task.lock != kNone || task.pool != kNone) return false;
  if (wait != Wait::unknown && wait != Wait::lock) return false;
  if (scene.lens ==
      LensKind::crash_text)  // no states there: only what sleeps with a lock, or for one
    return wait == Wait::lock || holds_own_mmap_lock(*task.row, task.reading).holds;
  return task.row->state == 'D' && task_settled(scene, task);
}

std::string_view class_of_cycle(const Story& story) {
  if (story.lock == kNone) return kFsSelfWait;
  return story.scene.locks[story.lock].kind == LockKind::mmap_lock ? kMmapLockCycle : kLockCycle;
}

void tell_cycle(Story& story) {
  for (const CycleStep& step : story.deadlock.cycle)
    if (step.kind == CycleStep::Kind::lock && story.lock == kNone) story.lock = step.index;
  if (story.lock != kNone) story.holder = story.deadlock.cycle.front().index;
  story.stall_class = class_of_cycle(story);
}

// The lock most tasks wait for.
void tell_held(Story& story, const std::vector<std::size_t>& locks) {
  for (const std::size_t i : locks)
    if (story.lock == kNone ||
        story.scene.locks[i].waiters.size() > story.scene.locks[story.lock].waiters.size())
      story.lock = i;
  const SceneLock& lock = story.scene.locks[story.lock];
  if (!lock.holders.empty()) story.holder = lock.holders.front().task;
  story.stall_class = lock.kind == LockKind::mmap_lock ? kMmapLockHeld : kLockHeld;
}

}  // namespace

Story find_story(const Scene& scene, const Deadlock& deadlock) {
  Story story{.scene = scene, .deadlock = deadlock, .stall_class = kNoStall};
  std::vector<std::size_t> settled;
  for (std::size_t i = 0; i < scene.locks.size(); ++i)
    if (lock_settled(scene, scene.locks[i])) settled.push_back(i);
  const std::vector<bool> holds = tasks_that_hold(scene);
  for (std::size_t p = 0; p < scene.pools.size(); ++p) {
    const auto& requests = scene.pools[p].requests;
    const auto matters = [&deadlock, &holds](const SceneRequest& request) {
      return request.settled || deadlock.stuck_tasks[request.task] || holds[request.task];
    };
    if (std::any_of(requests.begin(), requests.end(), matters)) story.pools.push_back(p);
  }
  for (std::size_t t = 0; t < scene.tasks.size(); ++t)
    if (blocked_for_unknown_reason(scene, scene.tasks[t])) story.unknown.push_back(t);
  const bool request_stuck =
      std::any_of(story.pools.begin(), story.pools.end(), [&scene](std::size_t p) {
        const auto& requests = scene.pools[p].requests;
        return std::any_of(requests.begin(), requests.end(),
                           [](const SceneRequest& request) { return request.settled; });
      });
  if (!deadlock.cycle.empty()) {
    tell_cycle(story);
  } else if (!settled.empty()) {
    tell_held(story, settled);
  } else if (request_stuck) {
    story.stall_class = kFsServerStuck;
  } else if (!story.unknown.empty()) {
    story.stall_class = kUnknownStall;
  }
  for (const std::size_t i : settled)
    if (i != story.lock) story.other_locks.push_back(i);
  return story;
}

std::string lock_label(const Scene& scene, const SceneLock& lock) {
  const std::string label = lock.kind == LockKind::mmap_lock ? "mmap_lock"
                            : lock.kind == LockKind::mutex   ? "mutex"
                                                             : "rw_semaphore";
  if (lock.of_client) return label + " of a client of the service";
  if (lock.tgid == 0) return lock.owner_comm.empty() ? label : label + " of " + lock.owner_comm;
  const auto leader = scene.by_tid.find(lock.tgid);
  if (leader == scene.by_tid.end()) return fmt::format("{} of process {}", label, lock.tgid);
  return fmt::format("{} of {} (pid {})", label, scene.tasks[leader->second].row->comm, lock.tgid);
}

std::string pool_label(const ScenePool& pool) {
  if (pool.connection != nullptr) return fmt::format("FUSE connection {}", pool.connection->number);
  std::vector<std::string> names;
  for (const FsPattern& pattern : pool.fs->service) names.push_back(pattern.glob);
  const std::string threads = join_names(names, 4);
  return threads.empty() ? fmt::format("the {} service", pool.fs->name)
                         : fmt::format("the {} service ({})", pool.fs->name, threads);
}

std::string unknown_wait(const TaskReading& reading) {
  if (reading.wait_function.empty()) return "unknown wait: no stack";
  std::string_view module = reading.wait_module;
  // x86_64 loads modules from here on when KASLR is built in (MODULES_VADDR, 3.14 to 6.18).
  constexpr std::uint64_t kModules = 0xffffffffc0000000;
  if (module.empty()) module = reading.wait_address >= kModules ? "module not named" : "kernel";
  return fmt::format("unknown wait: {} [{}]", reading.wait_function, module);
}

std::string_view doing_name(Doing doing) {
  switch (doing) {
    case Doing::page_fault:
      return "fault";
    case Doing::mprotect:
      return "mprotect";
    case Doing::mmap:
      return "mmap";
    case Doing::munmap:
      return "munmap";
    case Doing::mremap:
      return "mremap";
    case Doing::madvise:
      return "madvise";
    case Doing::brk:
      return "brk";
    case Doing::other:
      break;
  }
  return "other";
}

std::string join_names(const std::vector<std::string>& names, std::size_t limit) {
  std::string text;
  const std::size_t shown = names.size() > limit ? limit : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    if (i > 0) text += last ? " and " : ", ";
    text += names[i];
  }
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace stallproof
