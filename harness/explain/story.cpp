// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/story.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"

namespace stallproof {
namespace {

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
  if (task.row->halt != Halt::none) return false;
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
  const CycleStep& last = story.deadlock.cycle.back();
  if (last.kind == CycleStep::Kind::lock) story.lock = last.index;
  const CycleStep& first = story.deadlock.cycle.front();
  if (first.kind == CycleStep::Kind::task) story.holder = first.index;
  story.stall_class = class_of_cycle(story);
}

// Who holds a lock may wait for another one: the last of such a chain is the root. No cycle is
// proven here, but what is only inferred may still lead back.
std::size_t root_lock(const Scene& scene, std::size_t lock) {
  std::vector<bool> visited(scene.locks.size(), false);
  while (!visited[lock]) {
    visited[lock] = true;
    const auto& holders = scene.locks[lock].holders;
    const auto waits = std::find_if(holders.begin(), holders.end(), [&](const SceneHolder& each) {
      const std::size_t next = scene.tasks[each.task].lock;
      return next != kNone && !visited[next];
    });
    if (waits == holders.end()) break;
    lock = scene.tasks[waits->task].lock;
  }
  return lock;
}

std::string_view class_of_held(const Story& story) {
  const SceneLock& lock = story.scene.locks[story.lock];
  switch (lock.kind) {
    case LockKind::mmap_lock:
      return kMmapLockHeld;
    case LockKind::vma_lock:
      return kVmaLockHeld;
    case LockKind::rwsem:
    case LockKind::mutex:
      break;
  }
  const bool asks = story.holder != kNone && story.scene.tasks[story.holder].pool != kNone;
  return lock.of_directory && asks ? kDirLock : kLockHeld;
}

// The lock most tasks wait for, or the one that its holder waits for.
void tell_held(Story& story, const std::vector<std::size_t>& locks) {
  for (const std::size_t i : locks)
    if (story.lock == kNone ||
        story.scene.locks[i].waiters.size() > story.scene.locks[story.lock].waiters.size())
      story.lock = i;
  story.lock = root_lock(story.scene, story.lock);
  const SceneLock& lock = story.scene.locks[story.lock];
  if (!lock.holders.empty()) story.holder = lock.holders.front().task;
  story.stall_class = class_of_held(story);
}

bool request_settled(const Story& story) {
  return std::any_of(story.pools.begin(), story.pools.end(), [&story](std::size_t p) {
    const auto& requests = story.scene.pools[p].requests;
    return std::any_of(requests.begin(), requests.end(),
                       [](const SceneRequest& request) { return request.settled; });
  });
}

std::vector<std::size_t> pools_that_matter(const Scene& scene, const Deadlock& deadlock) {
  const std::vector<bool> holds = tasks_that_hold(scene);
  std::vector<std::size_t> found;
  for (std::size_t p = 0; p < scene.pools.size(); ++p) {
    const auto& requests = scene.pools[p].requests;
    const auto matters = [&deadlock, &holds](const SceneRequest& request) {
      return request.settled || deadlock.stuck_tasks[request.task] || holds[request.task];
    };
    if (std::any_of(requests.begin(), requests.end(), matters)) found.push_back(p);
  }
  return found;
}

// From what says most to what says least.
void tell_most_certain(Story& story, const std::vector<std::size_t>& settled) {
  if (!story.deadlock.cycle.empty()) return tell_cycle(story);
  if (tell_exec(story)) return;
  if (!settled.empty()) return tell_held(story, settled);
  if (tell_frozen_fs(story) || tell_user_fault(story)) return;
  if (tell_journal(story) || tell_device(story)) return;
  if (request_settled(story)) {
    story.stall_class = kFsServerStuck;
    return;
  }
  if (tell_throttled(story) || tell_halted(story) || tell_starved(story)) return;
  if (!story.unknown.empty()) {
    story.stall_class = kUnknownStall;
    return;
  }
  tell_userspace(story);
}

}  // namespace

bool task_settled(const Scene& scene, const SceneTask& task) {
  if (is_post_mortem(scene.lens)) return true;
  if (task.row->unchanged_for) return *task.row->unchanged_for >= kSettled;
  return !scene.looked_twice;
}

Story find_story(const Scene& scene, const Deadlock& deadlock) {
  Story story{.scene = scene, .deadlock = deadlock, .stall_class = kNoStall};
  std::vector<std::size_t> settled;
  for (std::size_t i = 0; i < scene.locks.size(); ++i)
    if (lock_settled(scene, scene.locks[i])) settled.push_back(i);
  story.pools = pools_that_matter(scene, deadlock);
  for (std::size_t t = 0; t < scene.tasks.size(); ++t)
    if (blocked_for_unknown_reason(scene, scene.tasks[t])) story.unknown.push_back(t);
  tell_most_certain(story, settled);
  for (const StoryParty& party : story.parties) std::erase(story.unknown, party.task);
  for (const std::size_t i : settled)
    if (i != story.lock) story.other_locks.push_back(i);
  return story;
}

std::string lock_label(const Scene& scene, const SceneLock& lock) {
  if (!lock.of_fs.empty()) return fmt::format("lock of {} taken in {}", lock.of_fs, lock.taken_in);
  const std::string label = lock.kind == LockKind::mmap_lock  ? "mmap_lock"
                            : lock.kind == LockKind::vma_lock ? "lock of a VMA"
                            : lock.of_directory               ? "lock of a directory"
                            : lock.kind == LockKind::mutex    ? "mutex"
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

std::string wait_words(const TaskReading& reading) {
  switch (reading.wait) {
    case Wait::running:
      return "runs";
    case Wait::thaw:
      return fmt::format("waits for a frozen file system, in {}", reading.wait_function);
    case Wait::user_fault:
      return "waits for a userfaultfd";
    case Wait::vma_lock:
      return fmt::format("waits for page faults to let go of a VMA, in {}", reading.wait_function);
    case Wait::vfork:
      return "waits for its vfork child to call execve";
    case Wait::halted:
      return "is itself stopped or frozen";
    default:
      return unknown_wait(reading);
  }
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
