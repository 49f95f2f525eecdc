// SPDX-License-Identifier: Apache-2.0
#include "harness/run/undo_injection.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "harness/base/bounded.h"
#include "harness/base/cgroup.h"
#include "harness/base/fd.h"
#include "harness/run/cgroup_places.h"
#include "harness/run/fuse_target.h"
#include "workloads/injector/left_things.h"

namespace stallproof {
namespace {

constexpr Nanos kCallDeadline = 500 * kMillisecond;
constexpr Nanos kRemoveWithin = 400 * kMillisecond;
constexpr Nanos kThingWithin = 2 * kSecond;
constexpr std::uint32_t kLoopMajor = 7;

std::string run_of(const std::string& directory) {
  return directory.substr(directory.rfind('/') + 1);
}

int bounded(const std::function<Result<>()>& work) {
  return run_bounded([&work] { return work() ? 0 : EIO; }, Deadline::in(kCallDeadline));
}

void note(UndoNotes& notes, const char* done, const std::string& object, int error) {
  if (error == 0)
    notes.done.push_back(fmt::format("{} {} of an earlier run", done, object));
  else
    notes.failed.push_back(fmt::format("{}: not {}: {}", object, done, std::strerror(error)));
}

std::vector<std::string> cgroups_of(const std::string& directory, UndoNotes& notes) {
  std::vector<std::string> paths;
  const auto places = cgroup_places_now(run_of(directory));
  if (!places) notes.failed.push_back("cgroups: " + places.error().what);
  if (!places) return paths;
  for (const CgroupPlace& place : *places)
    if (::access(place.path.c_str(), F_OK) == 0) paths.push_back(place.path);
  return paths;
}

// Below the directory, but not the service's own; deepest first.
std::vector<MountEntry> mounts_of(const std::string& directory, UndoNotes& notes) {
  std::vector<MountEntry> ours;
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kCallDeadline));
  const auto mounts =
      text ? parse_mountinfo(*text) : Result<std::vector<MountEntry>>(Failure(text.error()));
  if (!mounts) notes.failed.push_back("mounts: " + mounts.error().what);
  if (!mounts) return ours;
  const std::string below = directory + "/";
  std::copy_if(mounts->begin(), mounts->end(), std::back_inserter(ours),
               [&](const MountEntry& mount) {
                 return mount.mount_point.starts_with(below) && mount.mount_point != below + "mnt";
               });
  std::stable_sort(ours.begin(), ours.end(), [](const MountEntry& one, const MountEntry& other) {
    return one.mount_point.size() > other.mount_point.size();
  });
  return ours;
}

// 0; EINVAL: it was not frozen.
int thaw(const std::string& mount_point) {
  return run_bounded(
      [&mount_point] {
        const Fd root(::open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        return root.valid() && ::ioctl(root.get(), FITHAW, 0) == 0 ? 0 : errno;
      },
      Deadline::in(kCallDeadline));
}

// Whoever waits for its server gets an error (nfs_umount_begin, fs/nfs/super.c, 6.18). 0 or an
// errno; it stays mounted where it is used.
int force(const std::string& mount_point) {
  const int error = run_bounded(
      [&mount_point] { return ::umount2(mount_point.c_str(), MNT_FORCE) == 0 ? 0 : errno; },
      Deadline::in(kCallDeadline));
  return error == EBUSY ? 0 : error;
}

void free_users(const MountEntry& mount, UndoNotes& notes) {
  if (is_fuse(mount)) {
    const int error = abort_fuse_target({.mount_point = mount.mount_point,
                                         .connection = mount.device_minor,
                                         .fstype = mount.fstype,
                                         .source = mount.source});
    note(notes, "aborted", "FUSE connection at " + mount.mount_point, error);
  } else if (mount.fstype.starts_with("nfs")) {
    note(notes, "aborted", "requests of " + mount.mount_point, force(mount.mount_point));
  } else if (mount.device_major == kLoopMajor) {
    const int error = thaw(mount.mount_point);
    if (error != EINVAL) note(notes, "thawed", mount.mount_point, error);
  }
}

// The file that names them stays as long as one of them does: the next start tries again.
void remove_things(const std::string& directory, UndoNotes& notes) {
  bool all = true;
  const std::vector<LeftThing> things = noted_things(directory);
  for (auto thing = things.rbegin(); thing != things.rend(); ++thing) {
    const int error = run_bounded([&thing] { return remove_thing(*thing) ? 0 : EIO; },
                                  Deadline::in(kThingWithin));
    all = all && error == 0;
    note(notes, "removed", thing->kind + " " + thing->name, error);
  }
  if (all) forget_things(directory);
}

// 0 or an errno. The call may wait for a server that is gone after the mount itself has.
int detach(const std::string& directory, const std::string& point) {
  const int error =
      run_bounded([&point] { return ::umount2(point.c_str(), MNT_DETACH) == 0 ? 0 : errno; },
                  Deadline::in(kCallDeadline));
  if (error != ETIMEDOUT) return error;
  UndoNotes notes;
  const std::vector<MountEntry> left = mounts_of(directory, notes);
  const bool still = std::any_of(left.begin(), left.end(), [&point](const MountEntry& mount) {
    return mount.mount_point == point;
  });
  return still || !notes.failed.empty() ? error : 0;
}

// What the mounts were on. Not `mnt`, and nothing that is a file.
void remove_directories(const std::string& directory, UndoNotes& notes) {
  DIR* const all = ::opendir(directory.c_str());
  if (all == nullptr) return;
  while (const dirent* entry = ::readdir(all)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == "mnt" || entry->d_type != DT_DIR) continue;
    const std::string path = directory + "/" + name;
    if (::rmdir(path.c_str()) != 0) note(notes, "removed", path, errno);
  }
  ::closedir(all);
}

}  // namespace

void lift_injections(const std::string& directory, UndoNotes& notes) {
  for (const LeftThing& thing : noted_things(directory))
    note(notes, "lifted", thing.kind + " " + thing.name,
         bounded([&thing] { return lift_thing(thing); }));
  for (const std::string& path : cgroups_of(directory, notes))
    note(notes, "lifted", "limits of cgroup " + path,
         bounded([&path] { return lift_cgroup_limits(path); }));
  for (const MountEntry& mount : mounts_of(directory, notes)) free_users(mount, notes);
}

void remove_injections(const std::string& directory, UndoNotes& notes) {
  for (const std::string& path : cgroups_of(directory, notes))
    note(notes, "removed", "cgroup " + path,
         bounded([&path] { return remove_cgroup(path, Deadline::in(kRemoveWithin)); }));
  for (const MountEntry& mount : mounts_of(directory, notes)) {
    const std::string& point = mount.mount_point;
    note(notes, "unmounted", point, detach(directory, point));
  }
  remove_directories(directory, notes);
  remove_things(directory, notes);
}

}  // namespace stallproof
