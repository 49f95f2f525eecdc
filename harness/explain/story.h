// SPDX-License-Identifier: Apache-2.0
// What explain() tells, before it is put into nodes, words and a signature. Internal to this
// folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/explain/deadlock.h"
#include "harness/explain/explanation.h"
#include "harness/explain/scene.h"

namespace stallproof {

struct Story {
  const Scene& scene;
  const Deadlock& deadlock;
  std::string_view stall_class;
  std::size_t lock = kNone;                // the lock it is about
  std::size_t holder = kNone;              // the task that holds it: the cycle's, else the first
  std::vector<std::size_t> pools{};        // services with requests that matter
  std::vector<std::size_t> other_locks{};  // further locks with settled waiters
  std::vector<std::size_t> unknown{};      // blocked tasks nobody can explain
};

Story find_story(const Scene& scene, const Deadlock& deadlock);

// Class, then generic roles in the order of who keeps whom waiting.
std::string signature_of(const Story& story);
std::string summary_of(const Story& story);
std::string advice_of(const Story& story);

// Nodes and edges of `explanation`, and its cycle and root.
void draw(const Story& story, Explanation& explanation);

// Words that more than one of these needs.
std::string lock_label(const Scene& scene, const SceneLock& lock);
std::string pool_label(const ScenePool& pool);
std::string unknown_wait(const TaskReading& reading);
std::string_view doing_name(Doing doing);
inline std::string_view mode_name(LockMode mode) {
  return mode == LockMode::write ? "write" : "read";
}
// "a, b and c"; after `limit` names "and N more".
std::string join_names(const std::vector<std::string>& names, std::size_t limit);

}  // namespace stallproof
