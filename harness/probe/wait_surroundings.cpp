// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/wait_surroundings.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kMountsWithin = 500 * kMillisecond;
constexpr std::size_t kMostTasks = 64;  // of a process that stands still, all say the same

// Calls `use` with each line, without its end.
void each_line(std::string_view text, const std::function<void(std::string_view)>& use) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end != 0) use(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::string text_of(const std::string& path) { return read_file(path, 1U << 16U).value_or(""); }

// The path of a task in the hierarchy of one controller ("" is v2); no value: not in it.
std::optional<std::string> path_in(const std::string& proc_cgroup, std::string_view controller) {
  std::optional<std::string> found;
  each_line(proc_cgroup, [&](std::string_view line) {
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) return;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) return;
    std::string controllers(line.substr(first + 1, second - first - 1));
    const bool hit = controller.empty()
                         ? controllers.empty()
                         : ("," + controllers + ",").find("," + std::string(controller) + ",") !=
                               std::string::npos;
    if (hit) found = std::string(line.substr(second + 1));
  });
  return found;
}

// The directory of the task's group and those of its ancestors, innermost first; the root itself
// has no limits.
std::vector<std::string> groups(const std::string& hierarchy, std::string path) {
  std::vector<std::string> found;
  while (path.size() > 1) {
    found.push_back(hierarchy + path);
    path.resize(path.rfind('/'));
  }
  return found;
}

std::vector<std::string> unified_groups(const std::string& proc_cgroup, const std::string& root) {
  const auto path = path_in(proc_cgroup, "");
  if (!path) return {};
  std::vector<std::string> found = groups(root + "/unified", *path);
  for (std::string& group : groups(root, *path)) found.push_back(std::move(group));
  return found;
}

std::string line_of_device(const std::string& text, const std::string& device) {
  std::string found;
  each_line(text, [&](std::string_view line) {
    if (!found.empty() || line.find(' ') == std::string_view::npos) return;
    if (device.empty() || line.starts_with(device + " ")) found = std::string(line);
  });
  return found;
}

std::string value_of(const std::string& text, const std::string& key) {
  std::string found;
  each_line(text, [&](std::string_view line) {
    if (line.starts_with(key + " ")) found = std::string(line.substr(key.size() + 1));
  });
  return found;
}

std::string number_text(const std::string& path) {
  std::string text = text_of(path);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool is_set(const std::string& throttled) { return !throttled.empty() && throttled != "0"; }

// A limit is set for the whole disk; its directory is the partition's parent.
std::string disk_of(const FileWait& wait, const std::string& sys) {
  const std::string device = fmt::format("{}:{}", wait.device_major, wait.device_minor);
  const std::string directory = sys + "/dev/block/" + device;
  if (text_of(directory + "/partition").empty()) return device;
  const std::string disk = number_text(directory + "/../dev");
  return disk.empty() ? device : disk;
}

// The file system of a frozen or throttled wait, so that people get a name for it.
void add_mount(LockSnapshot& snapshot, const FileWait& wait,
               const std::vector<MountEntry>& mounts) {
  auto row = std::find_if(
      snapshot.devices.begin(), snapshot.devices.end(), [&wait](const DeviceRow& device) {
        return device.device_major == wait.device_major && device.device_minor == wait.device_minor;
      });
  if (row == snapshot.devices.end()) {
    DeviceRow made;
    made.device_major = wait.device_major;
    made.device_minor = wait.device_minor;
    row = snapshot.devices.insert(row, std::move(made));
  }
  for (const MountEntry& mount : mounts)
    if (mount.device_major == wait.device_major && mount.device_minor == wait.device_minor)
      row->mount_point = mount.mount_point;
}

// By a child: the read waits where somebody mounts or unmounts on a dead file system.
std::vector<MountEntry> mounts_now(LockSnapshot& snapshot) {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kMountsWithin));
  auto mounts =
      text ? parse_mountinfo(*text) : Result<std::vector<MountEntry>>(Failure(text.error()));
  if (mounts) return std::move(*mounts);
  snapshot.blind_spots.push_back("where a frozen file system is mounted: " + mounts.error().what);
  return {};
}

void add_mounts(LockSnapshot& snapshot) {
  std::optional<std::vector<MountEntry>> mounts;
  for (const TaskRow& task : snapshot.tasks) {
    if (!task.file_wait || task.file_wait->how != FileWait::How::freeze) continue;
    if (!mounts) mounts = mounts_now(snapshot);
    add_mount(snapshot, *task.file_wait, *mounts);
  }
}

// The waiters of io_uring and aio sleep in S (io_uring/io_uring.c since 5.1, fs/aio.c since 4.1).
bool sleeps_for_ring(const TaskRow& task) {
  return std::any_of(task.stack.begin(), task.stack.end(), [](const StackFrame& frame) {
    return frame.function == "io_cqring_wait" || frame.function == "read_events";
  });
}

bool may_wait_for_io(const TaskRow& task) {
  if (task.kernel_thread || task.halt != Halt::none) return false;
  if (task.file_wait && task.file_wait->device_major == 0) return false;
  return task.state == 'D' || sleeps_for_ring(task);
}

}  // namespace

std::string io_limit_of(const std::string& proc_cgroup, const std::string& device,
                        const std::string& cgroup_root) {
  constexpr std::array kFiles{"read_bps_device", "write_bps_device", "read_iops_device",
                              "write_iops_device"};
  if (const auto path = path_in(proc_cgroup, "blkio"))
    for (const std::string& group : groups(cgroup_root + "/blkio", *path))
      for (const char* const file : kFiles) {
        const std::string name = fmt::format("blkio.throttle.{}", file);
        const std::string line = line_of_device(text_of(group + "/" + name), device);
        if (!line.empty()) return fmt::format("{} {} in {}", name, line, group);
      }
  for (const std::string& group : unified_groups(proc_cgroup, cgroup_root)) {
    const std::string line = line_of_device(text_of(group + "/io.max"), device);
    if (!line.empty()) return fmt::format("io.max {} in {}", line, group);
  }
  return {};
}

std::string cpu_limit_of(const std::string& proc_cgroup, const std::string& cgroup_root,
                         bool enforced) {
  if (const auto path = path_in(proc_cgroup, "cpu"))
    for (const std::string& group : groups(cgroup_root + "/cpu", *path)) {
      const std::string quota = number_text(group + "/cpu.cfs_quota_us");
      const std::string throttled = value_of(text_of(group + "/cpu.stat"), "nr_throttled");
      if (quota.empty() || quota == "-1" || !(enforced || is_set(throttled))) continue;
      return fmt::format("cpu.cfs_quota_us {} of {} in {} (throttled {} times)", quota,
                         number_text(group + "/cpu.cfs_period_us"), group, throttled);
    }
  for (const std::string& group : unified_groups(proc_cgroup, cgroup_root)) {
    const std::string quota = number_text(group + "/cpu.max");
    const std::string throttled = value_of(text_of(group + "/cpu.stat"), "nr_throttled");
    if (quota.empty() || quota.starts_with("max") || !(enforced || is_set(throttled))) continue;
    return fmt::format("cpu.max {} in {} (throttled {} times)", quota, group, throttled);
  }
  return {};
}

void add_surroundings(LockSnapshot& snapshot, const DeviceLook& before, const DeviceLook& now,
                      const SurroundingPaths& paths) {
  snapshot.devices = compare_devices(before, now);
  if (!now.problem.empty())
    snapshot.blind_spots.push_back("block devices with I/O in flight: " + now.problem);
  add_mounts(snapshot);
  std::size_t looked_at = 0;
  for (TaskRow& task : snapshot.tasks) {
    const bool ready = task.state == 'R' && !task.kernel_thread;
    if ((!may_wait_for_io(task) && !ready) || ++looked_at > kMostTasks) continue;
    const std::string cgroup = text_of(fmt::format("{}/{}/cgroup", paths.proc, task.tid));
    if (cgroup.empty()) continue;
    if (ready)
      task.cpu_limit = cpu_limit_of(cgroup, paths.cgroup, task.cpu_throttled);
    else
      task.io_limit = io_limit_of(cgroup, task.file_wait ? disk_of(*task.file_wait, paths.sys) : "",
                                  paths.cgroup);
  }
}

}  // namespace stallproof
