// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/ext4_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/injector/ext4_maker.h"

namespace stallproof {

Result<std::unique_ptr<Ext4Disk>> Ext4Disk::make(const std::string& directory, std::uint64_t size) {
  if (::mkdir(directory.c_str(), 0755) != 0) return fail_errno("make " + directory, errno);
  std::unique_ptr<Ext4Disk> disk(new Ext4Disk(directory));
  if (auto mounted = disk->mount(size); !mounted) return Failure{mounted.error()};
  return disk;
}

Ext4Disk::~Ext4Disk() { [[maybe_unused]] const auto ignored = remove(); }

Result<> Ext4Disk::mount(std::uint64_t size) {
  // Not sealed and not named: it lives as long as the loop device that uses it.
  const Fd image(::memfd_create("stallproof-ext4", 0));
  if (!image.valid() || ::ftruncate(image.get(), static_cast<off_t>(size)) != 0)
    return fail_errno("make an image in memory", errno);
  if (auto made = make_ext4(image); !made) return made;
  auto device = attach_loop_device(image, false);
  if (!device) return Failure{device.error()};
  device_ = std::move(*device);
  if (::mount(device_.path.c_str(), directory_.c_str(), "ext4", 0, nullptr) != 0)
    return fail_errno(fmt::format("mount {} on {}", device_.path, directory_), errno, {},
                      Origin::lacking);
  mounted_ = true;
  device_.fd.reset();
  root_ = Fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_.valid()) return fail_errno("open " + directory_, errno);
  return {};
}

int Ext4Disk::freeze() {
  if (!lies_on(device_, root_)) return EXDEV;
  return ::ioctl(root_.get(), FIFREEZE, 0) == 0 ? 0 : errno;
}

int Ext4Disk::thaw() {
  if (!root_.valid() || ::ioctl(root_.get(), FITHAW, 0) == 0) return 0;
  return errno == EINVAL ? 0 : errno;
}

Result<> Ext4Disk::remove() {
  root_.reset();
  if (mounted_ && ::umount2(directory_.c_str(), MNT_DETACH) != 0)
    return fail_errno("umount " + directory_, errno, {}, Origin::infra);
  mounted_ = false;
  device_.fd.reset();
  if (!directory_.empty() && ::rmdir(directory_.c_str()) != 0 && errno != ENOENT)
    return fail_errno("remove " + directory_, errno, {}, Origin::infra);
  return {};
}

}  // namespace stallproof
