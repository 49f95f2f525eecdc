// SPDX-License-Identifier: Apache-2.0
#include "harness/run/fuse_target.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/probe/fuse_connections.h"
#include "harness/probe/mountinfo.h"

namespace stallproof {
namespace {

constexpr Nanos kCallDeadline = 500 * kMillisecond;

}  // namespace

std::optional<FuseTarget> find_fuse_target(const std::string& mount_point) {
  const auto mounts = read_mountinfo();
  if (!mounts) return std::nullopt;
  std::optional<FuseTarget> found;
  for (const MountEntry& mount : *mounts) {
    if (mount.mount_point != mount_point || !mount.fstype.starts_with("fuse")) continue;
    found = FuseTarget{mount_point, mount.device_minor, mount.fstype, mount.source};
  }
  return found;
}

int abort_fuse_target(const FuseTarget& target) {
  const auto control = find_fusectl();
  if (control) {
    const std::string path = fmt::format("{}/{}/abort", *control, target.connection);
    const int failed = run_bounded([&path] { return write_control_file(path, "1") ? 0 : EIO; },
                                   Deadline::in(kCallDeadline));
    if (failed == 0) return 0;
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
