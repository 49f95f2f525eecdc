// SPDX-License-Identifier: Apache-2.0
// Stalls that are told without a lock: execve, frozen file systems, userfaultfd.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesShown = 6;

std::string party_names(const Story& story) {
  std::vector<std::string> names;
  for (const StoryParty& party : story.parties)
    names.push_back(task_label(story.scene.tasks[party.task]));
  return join_names(names, kNamesShown);
}
std::string_view waits(const Story& story) { return story.parties.size() == 1 ? "waits" : "wait"; }

// In a text without states '?' counts as asleep.
bool asleep(const SceneTask& task) {
  return task.row->state == 'D' || task.row->state == 'S' || task.row->state == '?';
}

// The file system by its device, where the lens knows where it is mounted.
const DeviceRow* device_of(const Scene& scene, const FileWait& wait) {
  for (const DeviceRow& device : scene.snapshot->devices)
    if (device.device_major == wait.device_major && device.device_minor == wait.device_minor)
      return &device;
  return nullptr;
}

// It waits by proof of its stack's contents, not only its names.
const FileWait* freeze_of(const SceneTask& task) {
  const auto& wait = task.row->file_wait;
  return wait && wait->how == FileWait::How::freeze ? &*wait : nullptr;
}

const FileWait* known_freeze(const Story& story) {
  for (const StoryParty& party : story.parties)
    if (const FileWait* wait = freeze_of(story.scene.tasks[party.task])) return wait;
  return nullptr;
}

StoryPlace frozen_place(const Story& story) {
  StoryPlace place{.id = "fs:frozen", .label = "a frozen file system", .note = {}, .servers = {}};
  const FileWait* wait = known_freeze(story);
  if (wait == nullptr) return place;
  place.id = fmt::format("fs:{}:{}", wait->device_major, wait->device_minor);
  place.label =
      fmt::format("frozen file system of device {}:{}", wait->device_major, wait->device_minor);
  const DeviceRow* device = device_of(story.scene, *wait);
  if (device != nullptr && !device->mount_point.empty()) {
    place.label = fmt::format("frozen file system {}", device->mount_point);
    place.note = fmt::format("device {}:{}", wait->device_major, wait->device_minor);
  }
  return place;
}

// What an execve waits for, in words of the signature and of the summary.
struct ExecWait {
  std::string word;
  std::string text;
};

ExecWait exec_wait(const Story& story, const SceneTask& task) {
  if (task.pool != kNone)
    return {fmt::format("service_{}", service_state(story, task.pool)),
            fmt::format("{} to answer", pool_label(story.scene.pools[task.pool]))};
  const bool threads = task.reading.wait_function.find("de_thread") != std::string_view::npos ||
                       task.reading.top == KernelMeaning::exec_past;
  if (threads) return {"threads", "the other threads of its process to end"};
  if (task.lock != kNone)
    return {"lock", "the " + lock_label(story.scene, story.scene.locks[task.lock])};
  return {"unknown", fmt::format("something in {}", task.reading.wait_function)};
}

}  // namespace

std::string thaw_advice(const Scene& scene, const SceneTask& task) {
  const FileWait* wait = freeze_of(task);
  const DeviceRow* device = wait == nullptr ? nullptr : device_of(scene, *wait);
  if (device != nullptr && !device->mount_point.empty())
    return fmt::format(
        "Heals at once: fsfreeze -u {} (if a snapshot or backup has frozen it on "
        "purpose, that should do it).",
        device->mount_point);
  return wait == nullptr
             ? std::string{"Find the frozen file system and thaw it: fsfreeze -u MOUNT."}
             : fmt::format("Thaw it: fsfreeze -u MOUNT, where /proc/self/mountinfo shows {}:{}.",
                           wait->device_major, wait->device_minor);
}

bool tell_exec(Story& story) {
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    const bool stuck =
        task.seen && task.reading.on_stack(KernelMeaning::exec_past) && asleep(task) &&
        task.reading.wait != Wait::halted &&
        (task_settled(story.scene, task) ||
         (task.pool != kNone && story.scene.pools[task.pool].requests[task.request].settled));
    if (!stuck) continue;
    const ExecWait wait = exec_wait(story, task);
    story.stall_class = kExecStuck;
    story.holder = t;
    story.parties = {
        {t, Certainty::exact,
         fmt::format("in execve past its point of no return ({})", task.reading.wait_function)}};
    story.words = "exec>" + wait.word;
    story.telling = fmt::format(
        "{} is in execve, past the point where it could still fail, and waits in {} for {}. Until "
        "then it holds exec_update_lock for write: whoever reads stat, wchan, stack, exe or fd of "
        "it in /proc, as ps, top and pgrep do, hangs too.",
        task_label(task), task.reading.wait_function, wait.text);
    if (task.pool == kNone)
      story.advice = fmt::format(
          "kill -9 {} if the wait is killable; read only status, statm, comm and sched of it.",
          task.row->tgid);
    return true;
  }
  return false;
}

bool tell_frozen_fs(Story& story) {
  std::size_t proof = kNone;  // the one of them that knows most
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    if (task.reading.wait != Wait::thaw || task.lock != kNone || !task_settled(story.scene, task))
      continue;
    const bool proven = freeze_of(task) != nullptr;
    if (proof == kNone || proven) proof = t;
    story.parties.push_back(
        {t, proven ? Certainty::exact : Certainty::inferred,
         fmt::format("sleeps in {} until the file system is thawed", task.reading.wait_function)});
  }
  if (story.parties.empty()) return false;
  story.stall_class = kFsFrozen;
  story.place = frozen_place(story);
  story.words = "write>frozen_fs";
  story.telling = fmt::format(
      "{} {} for the {}: whoever writes to it, or makes a page of it dirty, waits until it is "
      "thawed.",
      party_names(story), waits(story), story.place->label);
  story.advice = thaw_advice(story.scene, story.scene.tasks[proof]);
  return true;
}

bool tell_user_fault(Story& story) {
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    if (task.reading.wait != Wait::user_fault || !task_settled(story.scene, task)) continue;
    story.parties.push_back(
        {t, Certainty::inferred,
         fmt::format("its page fault sleeps in {}", task.reading.wait_function)});
  }
  if (story.parties.empty()) return false;
  story.stall_class = kFaultUnresolved;
  story.holder = story.parties.front().task;
  story.place = StoryPlace{.id = "fs:userfaultfd",
                           .label = "userfaultfd",
                           .note = "page faults that a process resolves",
                           .servers = {}};
  story.words = "fault>userfaultfd";
  story.telling = fmt::format(
      "{} {} in a page fault for a userfaultfd: the process that has registered the memory must "
      "give the page (UFFDIO_COPY, UFFDIO_ZEROPAGE), and has not.",
      party_names(story), waits(story));
  story.advice =
      "Look at the process that handles the userfaultfd (a virtual machine's migration, a "
      "checkpoint or a garbage collector): it must answer or close the descriptor, which resolves "
      "the faults.";
  return true;
}

}  // namespace stallproof
