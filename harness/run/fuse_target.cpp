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

constexpr int kStackedMost = 8;

// By a child: the read waits where somebody else mounts or unmounts on a dead file system.
Result<std::vector<MountEntry>> mounts_now() {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kCallDeadline));
  if (!text) return Failure(text.error());
  return parse_mountinfo(*text);
}

int detach_topmost(const std::string& mount_point) {
  return run_bounded(
      [&mount_point] { return ::umount2(mount_point.c_str(), MNT_DETACH) == 0 ? 0 : errno; },
      Deadline::in(kCallDeadline));
}

}  // namespace

Result<std::optional<FuseTarget>> find_fuse_target(const std::string& mount_point) {
  const auto mounts = mounts_now();
  if (!mounts) return Failure(mounts.error());
  std::optional<FuseTarget> found;
  for (const MountEntry& mount : *mounts) {
    if (mount.mount_point != mount_point || !is_fuse(mount)) continue;
    found = FuseTarget{mount_point, mount.device_minor, mount.fstype, mount.source};
  }
  return found;
}

int abort_fuse_target(const FuseTarget& target) {
  const auto mounts = mounts_now();
  if (const auto control = mounts ? find_fusectl(*mounts) : std::nullopt) {
    const auto abort = [&] { return abort_fuse_connection(*control, target.connection) ? 0 : EIO; };
    if (run_bounded(abort, Deadline::in(kCallDeadline)) == 0) return 0;
  }
  const int failed = run_bounded(
      [&target] { return ::umount2(target.mount_point.c_str(), MNT_FORCE) == 0 ? 0 : errno; },
      Deadline::in(kCallDeadline));
  // Busy means that files are open on it; the connection is aborted all the same.
  return failed == EBUSY ? 0 : failed;
}

Result<> detach_fuse_targets(const std::string& mount_point) {
  int failed = 0;
  for (int again = 0; again <= kStackedMost; ++again) {
    const auto target = find_fuse_target(mount_point);
    if (!target) return Failure(target.error());
    if (!*target) return {};
    if (again < kStackedMost) failed = detach_topmost(mount_point);
  }
  return fail_errno("umount " + mount_point, failed != 0 ? failed : EBUSY,
                    "umount -l it after its processes have ended", Origin::infra);
}

}  // namespace stallproof
