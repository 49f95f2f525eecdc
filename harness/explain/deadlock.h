// SPDX-License-Identifier: Apache-2.0
// Which tasks of a scene can never progress again, and one concrete cycle among them. Pure.
#pragma once

#include <vector>

#include "harness/explain/scene.h"

namespace stallproof {

struct CycleStep {
  enum class Kind { task, lock, pool };
  Kind kind = Kind::task;
  std::size_t index = 0;  // into Scene::tasks, locks or pools
};

struct Deadlock {
  std::vector<bool> stuck_tasks;  // by task
  std::vector<bool> stuck_locks;  // by lock
  std::vector<bool> unable;       // by task: an idle service thread that cannot take the job
  // Each step waits for the next and the last for the first; starts with the holder of a lock if
  // there is one. Empty when no deadlock is proven.
  std::vector<CycleStep> cycle;
};

// Idle service threads count as able to serve, unless they are known not to: the request is at
// least kSettled old and the thread has slept unchanged for as long (in a text: the snapshot shows
// a system that stands), and another thread of the same name pattern is caught in the deadlock.
Deadlock find_deadlock(const Scene& scene);

}  // namespace stallproof
