// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/loop_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

namespace stallproof {
namespace {

// Somebody else may take the free one first.
constexpr int kTries = 32;

Result<LoopDevice> open_free(const Fd& control) {
  const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
  if (number < 0) return fail_errno("find a free loop device", errno, {}, Origin::lacking);
  LoopDevice device;
  device.path = fmt::format("/dev/loop{}", number);
  device.fd = Fd(::open(device.path.c_str(), O_RDWR | O_CLOEXEC));
  if (!device.fd.valid()) return fail_errno("open " + device.path, errno, {}, Origin::lacking);
  struct stat info {};
  if (::fstat(device.fd.get(), &info) != 0) return fail_errno("stat " + device.path, errno);
  device.number = info.st_rdev;
  return device;
}

}  // namespace

Result<LoopDevice> attach_loop_device(const Fd& backing, bool direct) {
  const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control.valid())
    return fail_errno("open /dev/loop-control", errno, "modprobe loop", Origin::lacking);
  loop_config config{};
  config.fd = static_cast<unsigned>(backing.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (direct ? LO_FLAGS_DIRECT_IO : 0);
  for (int left = kTries;; --left) {
    auto device = open_free(control);
    if (!device) return device;
    if (::ioctl(device->fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY || left == 0)
      return fail_errno("attach " + device->path, errno, "LOOP_CONFIGURE needs Linux 5.8",
                        Origin::lacking);
  }
}

bool lies_on(const LoopDevice& device, const Fd& file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && device.number != 0 && info.st_dev == device.number;
}

}  // namespace stallproof
