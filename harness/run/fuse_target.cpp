// SPDX-License-Identifier: Apache-2.0
#include "harness/run/fuse_target.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include "harness/base/bounded.h"
#include "harness/probe/fuse_connections.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kCallDeadline = 500 * kMillisecond;

// By a child: the read waits where somebody else mounts or unmounts on a dead file system.
std::vector<MountEntry> mounts_now() {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kCallDeadline));
  if (!text) return {};
  auto mounts = parse_mountinfo(*text);
  return mounts ? std::move(*mounts) : std::vector<MountEntry>{};
}

}  // namespace

std::optional<FuseTarget> find_fuse_target(const std::string& mount_point) {
  const auto mounts = mounts_now();
  std::optional<FuseTarget> found;
  for (const MountEntry& mount : mounts) {
    if (mount.mount_point != mount_point || !is_fuse(mount)) continue;
    found = FuseTarget{mount_point, mount.device_minor, mount.fstype, mount.source};
  }
  return found;
}

int abort_fuse_target(const FuseTarget& target) {
  if (const auto control = find_fusectl(mounts_now())) {
    const auto abort = [&] { return abort_fuse_connection(*control, target.connection) ? 0 : EIO; };
    if (run_bounded(abort, Deadline::in(kCallDeadline)) == 0) return 0;
  }
  const int failed = run_bounded(
      [&target] { return ::umount2(target.mount_point.c_str(), MNT_FORCE) == 0 ? 0 : errno; },
      Deadline::in(kCallDeadline));
  // Busy means that files are open on it; the connection is aborted all the same.
  return failed == EBUSY ? 0 : failed;
}

int detach_mount(const std::string& mount_point) {
  return run_bounded(
      [&mount_point] { return ::umount2(mount_point.c_str(), MNT_DETACH) == 0 ? 0 : errno; },
      Deadline::in(kCallDeadline));
}

}  // namespace stallproof
