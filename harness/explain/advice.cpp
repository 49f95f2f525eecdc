// SPDX-License-Identifier: Apache-2.0
// What the reader can do now. Names commands; nothing here runs one.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

void add(std::string& text, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += ' ';
  text += sentence;
}

// Who waits for a page that is written back, or that he is to throw away, cannot be killed there.
bool ends_when_killed(const SceneTask& task) {
  if (task.row->tgid == 0 || task.row->kernel_thread) return false;
  return task.reading.wait == Wait::service || task.reading.file_fault || task.row->state == 'S';
}

std::string clients_of(const Story& story, const ScenePool& pool) {
  std::set<std::int32_t> pids;
  for (const SceneRequest& request : pool.requests)
    if (const SceneTask& task = story.scene.tasks[request.task]; ends_when_killed(task))
      pids.insert(task.row->tgid);
  return fmt::format("{}", fmt::join(pids, " or "));
}

std::string for_connection(const Story& story, const ScenePool& pool) {
  const std::string clients = clients_of(story, pool);
  return fmt::format(
      "Heals at once: echo 1 > /sys/fs/fuse/connections/{}/abort (its requests fail; if the file "
      "is missing, mount -t fusectl none /sys/fs/fuse/connections){}",
      pool.connection->number,
      clients.empty() ? std::string{"."}
                      : fmt::format(", or kill -9 the client, pid {}.", clients));
}

}  // namespace

std::string advice_of(const Story& story) {
  std::string text;
  if (story.stall_class == kNoStall) return text;
  add(text, story.advice);
  if (story.holder != kNone && story.scene.tasks[story.holder].reading.wait == Wait::thaw)
    add(text, thaw_advice(story.scene, story.scene.tasks[story.holder]));
  for (const std::size_t p : story.pools) {
    const ScenePool& pool = story.scene.pools[p];
    if (pool.connection != nullptr) add(text, for_connection(story, pool));
    if (pool.fs != nullptr) add(text, pool.fs->advice);
  }
  if (text.empty() && story.lock != kNone && story.holder == kNone)
    return "Who holds it is not known: stallproof capture --sysrq lists every task with its stack; "
           "look there for one of the same module that sleeps or waits for another lock.";
  if (text.empty() && story.lock != kNone && story.holder != kNone)
    text = fmt::format(
        "The lock is free again when {} leaves its wait: see what it waits for, or end it with "
        "kill -9 if the wait is killable. Describe its file system in a file for --fs to learn "
        "more.",
        task_label(story.scene.tasks[story.holder]));
  return text;
}

}  // namespace stallproof
