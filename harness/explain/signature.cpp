// SPDX-License-Identifier: Apache-2.0
// The name under which a stall is known again: what happened in which order, never who, when or on
// which kernel.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

std::string word(const SceneTask& task, LockMode mode) {
  const std::string_view what = task.serves != kNone ? "service" : doing_name(task.reading.doing);
  return fmt::format("{}_{}", what, mode_name(mode));
}

std::string holder_word(const Story& story, const SceneLock& lock, std::size_t index) {
  const auto found =
      std::find_if(lock.holders.begin(), lock.holders.end(),
                   [index](const SceneHolder& holder) { return holder.task == index; });
  const LockMode mode = found == lock.holders.end() ? LockMode::read : found->mode;
  return word(story.scene.tasks[index], mode);
}

std::string task_word(const Story& story, std::size_t index) {
  const SceneTask& task = story.scene.tasks[index];
  if (story.lock != kNone && index == story.holder)
    return holder_word(story, story.scene.locks[story.lock], index);
  if (task.lock != kNone)
    return word(task, story.scene.locks[task.lock].waiters[task.queue_place].mode);
  return task.serves != kNone ? "service_request" : "request";
}

std::string cycle_words(const Story& story) {
  std::vector<std::string> words;
  for (const CycleStep& step : story.deadlock.cycle)
    if (step.kind == CycleStep::Kind::task) words.push_back(task_word(story, step.index));
  if (words.size() > 1) std::reverse(words.begin() + 1, words.end());
  return fmt::format("{}", fmt::join(words, ">"));
}

std::string held_words(const Story& story) {
  const SceneLock& lock = story.scene.locks[story.lock];
  const std::string holder =
      story.holder == kNone ? "unknown" : holder_word(story, lock, story.holder);
  const std::size_t writer = lock.first_writer();
  const SceneWaiter& waiter = lock.waiters[writer == kNone ? 0 : writer];
  return fmt::format("{}>{}", holder, word(story.scene.tasks[waiter.task], waiter.mode));
}

// The worst of what is seen.
std::string_view worst_state(const Story& story) {
  std::string_view worst = "absent";
  for (const std::size_t p : story.pools) {
    const std::string_view state = service_state(story, p);
    if (state == "stopped") return state;
    if (worst != "blocked" && state != "absent") worst = state;
  }
  return worst;
}

}  // namespace

std::string_view service_state(const Story& story, std::size_t pool) {
  std::string_view state = "absent";
  for (const SceneMember& member : story.scene.pools[pool].members) {
    const SceneTask& task = story.scene.tasks[member.task];
    if (task.row->state == 'T') return "stopped";
    if (task.reading.wait == Wait::hand_over) {
      if (state == "absent") state = "waiting";
    } else if (task.reading.wait == Wait::idle) {
      if (state != "blocked") state = "idle";
    } else {
      state = "blocked";
    }
  }
  return state;
}

std::string signature_of(const Story& story) {
  if (!story.deadlock.cycle.empty())
    return fmt::format("{}:{}", story.stall_class, cycle_words(story));
  if (!story.words.empty()) return fmt::format("{}:{}", story.stall_class, story.words);
  if (story.stall_class == kDirLock) return fmt::format("{}:request>directory", story.stall_class);
  if (story.lock != kNone) return fmt::format("{}:{}", story.stall_class, held_words(story));
  if (story.stall_class == kFsServerStuck)
    return fmt::format("{}:request>service_{}", story.stall_class, worst_state(story));
  return std::string{story.stall_class};
}

}  // namespace stallproof
