// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/ffs_mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace stallproof {

Result<FfsMount> FfsMount::create(const std::string& directory) {
  Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device.valid())
    return fail_errno("ffs: open /dev/fuse", errno, "modprobe fuse; run as root", Origin::lacking);
  const std::string options = fmt::format(
      "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", device.get());
  if (::mount(kFfsSource, directory.c_str(), kFfsFstype, MS_NOSUID | MS_NODEV, options.c_str()) !=
      0)
    return fail_errno("ffs: mount on " + directory, errno, "an existing directory, as root");
  return FfsMount(std::move(device), directory);
}

void FfsMount::abort_and_unmount() {
  if (directory_.empty()) return;
  if (::umount2(directory_.c_str(), MNT_FORCE) != 0) ::umount2(directory_.c_str(), MNT_DETACH);
  directory_.clear();
}

}  // namespace stallproof
