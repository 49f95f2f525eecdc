// SPDX-License-Identifier: Apache-2.0
// A file system's journal that does not commit: its thread waits for the device, and whoever wants
// a change on disk, or room in the journal, waits for that thread.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesShown = 6;

// A text without states shows only what sleeps.
bool asleep(const SceneTask& task) { return task.row->state == 'D' || task.row->state == '?'; }

bool blocked_on_its_own(const Story& story, const SceneTask& task) {
  return task.seen && !task.row->kernel_thread && task.lock == kNone && task.pool == kNone &&
         task.reading.wait == Wait::unknown && asleep(task) && task_settled(story.scene, task);
}

// Then the device is what most of them can be told by, the journal's thread among them.
bool waits_at_a_device(const SceneTask& task) {
  if (task.reading.top == KernelMeaning::journal_wait) return false;
  return task.reading.on_stack(KernelMeaning::block_io) ||
         (task.row->file_wait && task.row->file_wait->device_major != 0);
}

std::vector<std::size_t> committers(const Scene& scene) {
  std::vector<std::size_t> found;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t)
    if (scene.tasks[t].seen && scene.tasks[t].reading.on_stack(KernelMeaning::journal_commit))
      found.push_back(t);
  return found;
}

// A thread that was seen to move commits, however slowly.
bool commits(const Scene& scene, const std::vector<std::size_t>& threads) {
  return std::any_of(threads.begin(), threads.end(), [&scene](std::size_t thread) {
    return !task_settled(scene, scene.tasks[thread]);
  });
}

// jbd2/DEVICE-8, jbd2/DEVICE: fs/jbd2/journal.c jbd2_journal_init_inode.
const DeviceRow* device_of(const Scene& scene, const SceneTask& committer) {
  for (const DeviceRow& device : scene.snapshot->devices) {
    const std::string name = "jbd2/" + device.name;
    if (device.name.empty() || !device_stuck(device)) continue;
    if (committer.row->comm == name || committer.row->comm.starts_with(name + "-")) return &device;
  }
  return nullptr;
}

void add_parties(Story& story) {
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    if (task.reading.top != KernelMeaning::journal_wait || !blocked_on_its_own(story, task))
      continue;
    story.parties.push_back(
        {t, Certainty::inferred,
         fmt::format("sleeps in {} for the journal", task.reading.wait_function)});
  }
}

bool somebody_at_a_device(const Story& story) {
  return std::any_of(story.scene.tasks.begin(), story.scene.tasks.end(),
                     [&story](const SceneTask& task) {
                       return waits_at_a_device(task) && blocked_on_its_own(story, task);
                     });
}

void tell_committer(Story& story, const std::vector<std::size_t>& threads) {
  if (threads.size() != 1) {
    story.telling += threads.empty() ? " Its thread was not seen." : " More than one commits.";
    return;
  }
  const SceneTask& committer = story.scene.tasks[threads.front()];
  story.holder = threads.front();
  story.telling += fmt::format(" Its thread {} commits and sleeps in {}.", task_label(committer),
                               committer.reading.wait_function);
  const DeviceRow* const device = device_of(story.scene, committer);
  if (device == nullptr) return;
  story.words += device->suspended ? ">device_suspended" : ">device";
  story.telling +=
      fmt::format(" It is the journal of {}, which {}.", device->name, device_state(*device));
  story.advice = device_advice(*device);
}

}  // namespace

bool tell_journal(Story& story) {
  const std::vector<std::size_t> threads = committers(story.scene);
  if (commits(story.scene, threads) || somebody_at_a_device(story)) return false;
  add_parties(story);
  if (story.parties.empty()) return false;
  std::vector<std::string> names;
  for (const StoryParty& party : story.parties)
    names.push_back(task_label(story.scene.tasks[party.task]));
  story.stall_class = kJournalStuck;
  story.words = "request>journal";
  story.telling =
      fmt::format("{} wait{} for the journal of a file system: for a commit to end, or for room.",
                  join_names(names, kNamesShown), names.size() == 1 ? "s" : "");
  story.place = StoryPlace{.id = "fs:journal",
                           .label = "journal",
                           .note = "changes of the file system wait for its commits",
                           .servers = threads,
                           .served = "commits the journal, by the functions on its stack"};
  story.advice =
      "Look at the device under the file system: kernel log, its driver's time-outs, the storage "
      "behind it. fsync returns when the device answers again.";
  tell_committer(story, threads);
  return true;
}

}  // namespace stallproof
