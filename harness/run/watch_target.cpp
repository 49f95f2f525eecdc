// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch_target.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "harness/base/bounded.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kLookLimit = 400 * kMillisecond;
constexpr Nanos kMountLookLimit = kSecond;

Result<std::vector<MountEntry>> mounts_now() {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  if (!text) return Failure(text.error());
  return parse_mountinfo(*text);
}

// As the kernel shows mount points: absolute, without . and .. and a last slash. By its text alone:
// asking the file system may not return.
std::string plain_path(const std::string& path) {
  std::error_code error;
  auto absolute = path.starts_with("/") ? std::filesystem::path(path)
                                        : std::filesystem::current_path(error) / path;
  std::string text = absolute.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// The one that is seen there: of several on one mount point the one mounted last.
const MountEntry* mount_at(const std::vector<MountEntry>& mounts, const std::string& point) {
  const MountEntry* found = nullptr;
  for (const MountEntry& mount : mounts)
    if (mount.mount_point == point) found = &mount;
  return found;
}

}  // namespace

Result<WatchTarget> WatchTarget::find(const WatchOptions& options) {
  if (options.pid) return find_process(*options.pid);
  if (!options.mount.empty()) return find_mount(options.mount);
  if (!options.cgroup.empty()) return find_cgroup(options.cgroup);
  WatchTarget target;
  target.name_ = options.command.front();
  return target;
}

Result<WatchTarget> WatchTarget::find_process(int pid) {
  WatchTarget target;
  target.kind_ = Kind::process;
  target.root_ = thread_group_of(pid);
  if (target.root_ <= 0)
    return fail(
        fmt::format("--pid {}: no such process (numbers are those of this pid namespace)", pid));
  if (target.root_ == ::getpid()) return fail(fmt::format("--pid {}: this is ourselves", pid));
  // Opened before it is identified: a pid taken over in between shows as another start time.
  target.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, target.root_, 0U)));
  target.identity_ = identify_process(target.root_);
  target.name_ = fmt::format("process {} ({})", target.root_, name_of_process(target.root_));
  return target;
}

Result<WatchTarget> WatchTarget::find_mount(const std::string& path) {
  const auto mounts = mounts_now();
  if (!mounts) return Failure(mounts.error());
  const std::string point = plain_path(path);
  const MountEntry* const mount = mount_at(*mounts, point);
  if (mount == nullptr)
    return fail(
        fmt::format("--mount {}: not a mount point of this mount namespace (see "
                    "/proc/self/mountinfo)",
                    path));
  WatchTarget target;
  target.kind_ = Kind::mount;
  target.path_ = point;
  target.name_ = "mount " + point;
  target.fstype_ = mount->fstype;
  target.source_ = mount->source;
  target.mount_id_ = mount->id;
  if (is_fuse(*mount) && mount->device_major == 0) target.connection_ = mount->device_minor;
  target.facts_ = look_at_target_facts(mount->fstype, target.connection_);
  if (mount->device_major != 0)
    target.device_ = fmt::format("{} {}", mount->device_major, mount->device_minor);
  return target;
}

Result<WatchTarget> WatchTarget::find_cgroup(const std::string& path) {
  const std::string directory =
      path.starts_with("/sys/") || path.starts_with(".") ? path : "/sys/fs/cgroup/" + path;
  const auto members = members_of_cgroup(directory);
  if (!members) return fail("--cgroup " + members.error().what);
  WatchTarget target;
  target.kind_ = Kind::cgroup;
  target.cgroup_ = directory;
  target.name_ = "cgroup " + directory;
  return target;
}

void WatchTarget::set_command(pid_t pid) {
  root_ = pid;
  name_ = fmt::format("{} (pid {})", name_, pid);
}

ProcessList WatchTarget::members(const std::vector<pid_t>& ours) {
  ProcessList list;
  if (kind_ == Kind::command) {
    // Orphans of the command are children of ours.
    list = descendants_of(::getpid(), kLookLimit, "/proc", ours);
  } else if (kind_ == Kind::process) {
    list = descendants_of(root_, kLookLimit);
  } else if (kind_ == Kind::mount) {
    list = users_of_mount(mount_id_, kMountLookLimit);
  } else if (auto members = members_of_cgroup(cgroup_)) {
    list = std::move(*members);
  }
  std::erase_if(list.tgids, [&ours](pid_t pid) {
    return pid == ::getpid() || std::find(ours.begin(), ours.end(), pid) != ours.end();
  });
  return list;
}

bool WatchTarget::gone() {
  switch (kind_) {
    case Kind::command:
      return false;
    case Kind::process: {
      if (!pidfd_.valid()) return presence_of(identity_) == Presence::gone;
      pollfd item{pidfd_.get(), POLLIN, 0};
      return ::poll(&item, 1, 0) > 0;
    }
    case Kind::mount: {
      const auto mounts = mounts_now();
      return mounts && std::none_of(mounts->begin(), mounts->end(), [this](const MountEntry& each) {
               return each.id == mount_id_;
             });
    }
    case Kind::cgroup:
      return !members_of_cgroup(cgroup_);
  }
  return false;
}

}  // namespace stallproof
