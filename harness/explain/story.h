// SPDX-License-Identifier: Apache-2.0
// What explain() tells, before it is put into nodes, words and a signature. Internal to this
// folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/explain/deadlock.h"
#include "harness/explain/explanation.h"
#include "harness/explain/scene.h"

namespace stallproof {

// A task of a stall that is told without a lock, and what it waits for there.
struct StoryParty {
  std::size_t task = kNone;
  Certainty certainty = Certainty::inferred;
  std::string evidence;
};

// What those tasks wait for, where it is neither a lock nor a service.
struct StoryPlace {
  NodeKind kind = NodeKind::fs;
  std::string id;
  std::string label;
  std::string note;
  std::vector<std::size_t> servers;  // tasks that answer in its name: a loop device's
  std::string_view served = "a worker of a loop device, by the functions on its stack";
};

struct Story {
  const Scene& scene;
  const Deadlock& deadlock;
  std::string_view stall_class;
  std::size_t lock = kNone;                // the lock it is about
  std::size_t holder = kNone;              // the task that holds it: the cycle's, else the first
  std::vector<std::size_t> pools{};        // services with requests that matter
  std::vector<std::size_t> other_locks{};  // further locks with settled waiters
  std::vector<std::size_t> unknown{};      // blocked tasks nobody can explain
  // Of a class that is told without a lock:
  std::vector<StoryParty> parties{};
  std::optional<StoryPlace> place{};
  std::string words{};    // of the signature, after the class
  std::string telling{};  // of the summary
  std::string advice{};
};

// Seen asleep long enough. A lens that looked twice gives no time for a task that moved; one that
// looked once gives none at all, and then nobody can tell.
bool task_settled(const Scene& scene, const SceneTask& task);

// Each makes the story its own and returns true, or leaves it as it is.
bool tell_exec(Story& story);
bool tell_frozen_fs(Story& story);
bool tell_user_fault(Story& story);
bool tell_journal(Story& story);  // unless somebody waits for the device itself
bool tell_device(Story& story);
bool tell_throttled(Story& story);
bool tell_halted(Story& story);
bool tell_starved(Story& story);
bool tell_userspace(Story& story);

// What thaws the file system that this task waits for.
std::string thaw_advice(const Scene& scene, const SceneTask& task);

// Of a block device: it completes nothing, how that shows, and what to do.
bool device_stuck(const DeviceRow& device);
std::string device_state(const DeviceRow& device);
std::string device_advice(const DeviceRow& device);

// How a service stands, as a word of signatures: stopped, blocked, idle, waiting or absent.
std::string_view service_state(const Story& story, std::size_t pool);

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
// "runs", "waits for a frozen file system in F", … else unknown_wait().
std::string wait_words(const TaskReading& reading);
std::string_view doing_name(Doing doing);
inline std::string_view mode_name(LockMode mode) {
  return mode == LockMode::write ? "write" : "read";
}
// "a, b and c"; after `limit` names "and N more".
std::string join_names(const std::vector<std::string>& names, std::size_t limit);

}  // namespace stallproof
