// SPDX-License-Identifier: Apache-2.0
// Tasks that wait for a directory: for its inode lock, or for a name that somebody else is looking
// up in it (d_alloc_parallel). Who keeps them waiting is a task that asks a file-system service
// about a name. Where the lens names the lock, that is kept; else both sides come from stacks.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/explain/scene.h"

namespace stallproof {
namespace {

bool in_directory(const SceneTask& task) { return task.reading.on_stack(KernelMeaning::directory); }

std::vector<SceneHolder> askers(const Scene& scene) {
  std::vector<SceneHolder> found;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    if (task.pool == kNone || task.lock != kNone || !in_directory(task)) continue;
    found.push_back({t, LockMode::write, Certainty::inferred,
                     fmt::format("asks the file system about a name, in {}, with the directory "
                                 "locked",
                                 task.reading.wait_function)});
  }
  return found;
}

// Texts and old kernels: nobody says which lock it is.
void add_unnamed(Scene& scene, const std::vector<SceneHolder>& holders) {
  std::size_t lock = kNone;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t) {
    const SceneTask& task = scene.tasks[t];
    const bool waits = task.seen && task.lock == kNone && task.pool == kNone &&
                       task.reading.top == KernelMeaning::directory && task.row->state == 'D';
    if (!waits) continue;
    if (lock == kNone) {
      lock = scene.locks.size();
      SceneLock made;
      made.kind = LockKind::rwsem;
      made.of_directory = true;
      made.holders = holders;
      scene.locks.push_back(std::move(made));
    }
    enqueue(scene, lock,
            {t, LockMode::write, Certainty::inferred,
             fmt::format("sleeps in {} for a directory, or a name in it, that somebody else uses",
                         task.reading.wait_function)});
  }
}

}  // namespace

void infer_directory_locks(Scene& scene) {
  const std::vector<SceneHolder> holders = askers(scene);
  for (SceneLock& lock : scene.locks) {
    if (lock.kind != LockKind::rwsem && lock.kind != LockKind::mutex) continue;
    lock.of_directory =
        !lock.waiters.empty() &&
        std::all_of(lock.waiters.begin(), lock.waiters.end(), [&scene](const SceneWaiter& waiter) {
          const SceneTask& task = scene.tasks[waiter.task];
          return !task.seen || in_directory(task);
        });
    if (lock.of_directory && lock.holders.empty() && holders.size() == 1) lock.holders = holders;
  }
  if (!holders.empty()) add_unnamed(scene, holders);
}

}  // namespace stallproof
