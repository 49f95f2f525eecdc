// SPDX-License-Identifier: Apache-2.0
// Locks of a file system that no lens names: only the function that takes one is known, from the
// file system's own file. Semaphores, completions and conditions have no list that could be read
// without their address, and the kernel tells what a task waits for only since 6.15
// (task_struct.blocker).
#include <fmt/format.h>

#include <map>
#include <utility>

#include "harness/explain/scene.h"

namespace stallproof {
namespace {

using Key = std::pair<const FsFile*, std::string_view>;  // of a function that takes one lock

bool waits_for_fs_lock(const SceneTask& task) {
  if (task.lock != kNone || !task.seen || task.reading.fs_lock.fs == nullptr) return false;
  if (task.reading.wait == Wait::unknown) return true;
  return task.reading.wait == Wait::lock && !task.reading.own_mm &&
         task.reading.client_lock.fs == nullptr;
}

}  // namespace

void infer_fs_locks(Scene& scene) {
  std::map<Key, std::size_t> locks;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    if (!waits_for_fs_lock(scene.tasks[t])) continue;
    const FsMatch match = scene.tasks[t].reading.fs_lock;
    const auto found =
        locks.emplace(Key{match.fs, without_suffix(match.function)}, scene.locks.size());
    if (found.second) {
      SceneLock lock;
      lock.kind = LockKind::mutex;
      lock.taken_in = std::string(match.function);
      lock.of_fs = match.fs->name;
      scene.locks.push_back(std::move(lock));
    }
    enqueue(scene, found.first->second,
            {t, LockMode::write, Certainty::inferred,
             fmt::format("sleeps in {}: {}", match.function,
                         cite(*match.fs, "waits_for_lock", *match.pattern))});
  }
}

}  // namespace stallproof
