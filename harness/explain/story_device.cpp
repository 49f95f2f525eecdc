// SPDX-License-Identifier: Apache-2.0
// Stalls of block devices: one that has I/O in flight and completes none, and I/O that a cgroup's
// limit keeps from reaching its device.
#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesShown = 6;

bool blocked(const SceneTask& task) {
  return task.row->state == 'D' && task.reading.wait == Wait::unknown;
}

bool on_device(const SceneTask& task, const DeviceRow& device) {
  return task.row->file_wait && task.row->file_wait->device_major == device.device_major &&
         task.row->file_wait->device_minor == device.device_minor;
}

// Then a limit, if there is one, is not what holds the I/O back.
constexpr std::uint64_t kBusy = 4;
bool is_busy(const Scene& scene, const SceneTask& task) {
  return std::any_of(scene.snapshot->devices.begin(), scene.snapshot->devices.end(),
                     [&task](const DeviceRow& device) {
                       return on_device(task, device) &&
                              device.reads_in_flight + device.writes_in_flight > kBusy;
                     });
}

bool waits_for_io(const SceneTask& task) {
  const TaskReading& reading = task.reading;
  return reading.on_stack(KernelMeaning::block_io) || reading.on_stack(KernelMeaning::async_io) ||
         reading.on_stack(KernelMeaning::journal_commit) ||
         reading.top == KernelMeaning::journal_wait;
}

// Nobody need wait for it: it takes a task that is known to.
bool merely_suspended(const DeviceRow& device) {
  return device.suspended && device.reads_in_flight + device.writes_in_flight == 0;
}

// Its stack shows that it waits for a block device, but not for which.
bool waits_for_some_device(const SceneTask& task) {
  if (task.row->file_wait && task.row->file_wait->device_major == 0) return false;
  const bool sleeps = task.row->state == 'D' || task.row->state == 'S';
  return sleeps && !task.row->file_wait && waits_for_io(task) && task.reading.wait == Wait::unknown;
}

void add_party(Story& story, std::size_t t, const DeviceRow& device) {
  const SceneTask& task = story.scene.tasks[t];
  if (!task.seen || task.lock != kNone || task.pool != kNone || !task_settled(story.scene, task))
    return;
  if (on_device(task, device) && (blocked(task) || waits_for_io(task)))
    story.parties.push_back({t, Certainty::exact,
                             fmt::format("sleeps in {} for I/O on this device (read from its "
                                         "stack)",
                                         task.reading.wait_function)});
  else if (!merely_suspended(device) && waits_for_some_device(task))
    story.parties.push_back({t, Certainty::inferred,
                             fmt::format("sleeps in {} for I/O while this device completes none",
                                         task.reading.wait_function)});
}

std::vector<std::size_t> loop_workers(const Scene& scene) {
  std::vector<std::size_t> found;
  for (std::size_t t = 0; t < scene.tasks.size(); ++t)
    if (scene.tasks[t].row->kernel_thread &&
        scene.tasks[t].reading.on_stack(KernelMeaning::loop_worker))
      found.push_back(t);
  return found;
}

std::string party_names(const Story& story) {
  std::vector<std::string> names;
  for (const StoryParty& party : story.parties)
    names.push_back(task_label(story.scene.tasks[party.task]));
  return join_names(names, kNamesShown);
}

std::string in_flight(const DeviceRow& device) {
  return fmt::format("{} read{} and {} write{} in flight", device.reads_in_flight,
                     device.reads_in_flight == 1 ? "" : "s", device.writes_in_flight,
                     device.writes_in_flight == 1 ? "" : "s");
}

// A loop device is as alive as its backing file: the chain goes on where its worker waits.
std::size_t pool_behind(const Story& story) {
  for (const std::size_t worker : story.place->servers)
    if (story.scene.tasks[worker].pool != kNone) return story.scene.tasks[worker].pool;
  return kNone;
}

void tell_stuck(Story& story, const DeviceRow& device) {
  story.stall_class = kDeviceStuck;
  story.place = StoryPlace{.kind = NodeKind::device,
                           .id = "device:" + device.name,
                           .label = "block device " + device.name,
                           .note = device.suspended
                                       ? "suspended"
                                       : in_flight(device) + ", none completed between two looks",
                           .servers = {}};
  if (!device.backing_file.empty()) {
    story.place->note += "; backing file " + device.backing_file;
    story.place->servers = loop_workers(story.scene);
  }
  story.telling =
      fmt::format("{} {} for I/O on {}, which {}.", party_names(story),
                  story.parties.size() == 1 ? "waits" : "wait", device.name, device_state(device));
  if (!device.backing_file.empty())
    story.telling += fmt::format(" It is a loop device on {}.", device.backing_file);
  story.words = device.suspended ? "request>device_suspended" : "request>device";
  const std::size_t pool = pool_behind(story);
  if (pool == kNone) {
    story.advice = device_advice(device);
    return;
  }
  story.words += fmt::format(">service_{}", service_state(story, pool));
  std::vector<std::string> workers;
  for (const std::size_t worker : story.place->servers)
    workers.push_back(task_label(story.scene.tasks[worker]));
  story.telling +=
      fmt::format(" Its worker {} waits for {} to answer.", join_names(workers, kNamesShown),
                  pool_label(story.scene.pools[pool]));
}

}  // namespace

bool device_stuck(const DeviceRow& device) {
  return device.unchanged_for.value_or(0) >= kSettled &&
         (device.suspended || device.reads_in_flight + device.writes_in_flight > 0);
}

std::string device_state(const DeviceRow& device) {
  if (device.suspended)
    return "is suspended: whatever is sent to it waits, uncounted, until it is resumed";
  return fmt::format("has {} and completed none in {} ms", in_flight(device),
                     *device.unchanged_for / kMillisecond);
}

std::string device_advice(const DeviceRow& device) {
  if (device.suspended)
    return fmt::format(
        "Heals at once: dmsetup resume -j {} -m {} (if a snapshot, a table change or a move of "
        "data has suspended it on purpose, that should do it).",
        device.device_major, device.device_minor);
  return "Look at the device: kernel log, its driver's time-outs, multipath, the storage behind "
         "it.";
}

bool tell_device(Story& story) {
  for (const DeviceRow& device : story.scene.snapshot->devices) {
    if (!device_stuck(device) || device.name.empty()) continue;
    for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) add_party(story, t, device);
    if (story.parties.empty()) continue;
    tell_stuck(story, device);
    return true;
  }
  return false;
}

bool tell_throttled(Story& story) {
  std::string limit;
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    if (!task.seen || task.row->io_limit.empty() || !task_settled(story.scene, task)) continue;
    if ((!blocked(task) && !waits_for_io(task)) || is_busy(story.scene, task)) continue;
    story.parties.push_back({t, Certainty::inferred,
                             fmt::format("sleeps in {}; its cgroup has {}",
                                         task.reading.wait_function, task.row->io_limit)});
    if (limit.empty()) limit = task.row->io_limit;
  }
  if (story.parties.empty()) return false;
  story.stall_class = kThrottled;
  story.words = "request>io_limit";
  story.telling = fmt::format(
      "{} {} for I/O that a limit holds back: {}. The device itself is not busy with it.",
      party_names(story), story.parties.size() == 1 ? "waits" : "wait", limit);
  story.advice = "Raise or remove the limit: io.max, or with cgroup v1 blkio.throttle.*_device.";
  return true;
}

}  // namespace stallproof
