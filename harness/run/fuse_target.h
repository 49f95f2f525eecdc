// SPDX-License-Identifier: Apache-2.0
// A FUSE mount seen and handled from outside: by mountinfo and fusectl only, never by a path below
// the mount (a stat there may wait for the service for ever). Every call is bounded in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/base/result.h"

namespace stallproof {

struct FuseTarget {
  std::string mount_point;
  std::uint32_t connection = 0;  // minor of the mount's device, as in /sys/fs/fuse/connections
  std::string fstype;
  std::string source;
};

// The topmost FUSE mount on exactly this path, from /proc/self/mountinfo. An Error means that
// nobody can tell whether there is one.
Result<std::optional<FuseTarget>> find_fuse_target(const std::string& mount_point);

// Ends every request, waiting or new, with an error: by fusectl where it is mounted, else by
// umount2(MNT_FORCE) (fuse_umount_begin aborts the connection even when the umount is refused).
// Returns 0 or an errno.
int abort_fuse_target(const FuseTarget& target);

// Takes every FUSE mount off this path by umount2(MNT_DETACH), which never waits for the file
// system. After an abort or its users' end only: a detached connection has no path to abort it by.
// An Error when one stays or nobody can tell.
Result<> detach_fuse_targets(const std::string& mount_point);

}  // namespace stallproof
