// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/dm_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/dm-ioctl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr Nanos kNodeWithin = kSecond;
constexpr Nanos kCloseWithin = 500 * kMillisecond;

// The header, and the one target of a table with its words.
struct Request {
  dm_ioctl head{};
  dm_target_spec target{};
  char words[64]{};
};

Request request_for(const std::string& name, std::uint32_t flags) {
  Request request;
  request.head.version[0] = DM_VERSION_MAJOR;
  request.head.data_size = sizeof request;
  request.head.data_start = offsetof(Request, target);
  request.head.flags = flags;
  std::strncpy(request.head.name, name.c_str(), sizeof request.head.name - 1);
  return request;
}

// 0 or an errno.
int ask(unsigned long command, Request& request) {
  const Fd control(::open(kDmControl, O_RDWR | O_CLOEXEC));
  if (!control.valid()) return errno;
  return ::ioctl(control.get(), command, &request) == 0 ? 0 : errno;
}

int ask_by_name(unsigned long command, const std::string& name, std::uint32_t flags) {
  Request request = request_for(name, flags);
  return ask(command, request);
}

bool is_gone(int error) { return error == ENXIO || error == ENOENT || error == ENODEV; }

Result<> told(const char* what, const std::string& name, int error) {
  if (error == 0) return {};
  return fail_errno(fmt::format("{} device-mapper device {}", what, name), error);
}

// include/linux/kdev_t.h huge_encode_dev.
dev_t decode_device(std::uint64_t encoded) {
  const auto major = static_cast<unsigned>((encoded & 0xfff00U) >> 8U);
  const auto minor = static_cast<unsigned>((encoded & 0xffU) | ((encoded >> 12U) & 0xfff00U));
  return makedev(major, minor);
}

Result<> wait_for_node(const std::string& path) {
  for (const Deadline deadline = Deadline::in(kNodeWithin); ::access(path.c_str(), F_OK) != 0;) {
    if (deadline.passed()) return fail_errno("find " + path, errno, "is devtmpfs on /dev?");
    ::poll(nullptr, 0, 1);
  }
  return {};
}

}  // namespace

Result<DmDevice> make_dm_device(const std::string& name, const DmBacking& backing) {
  Request request = request_for(name, 0);
  if (const int error = ask(DM_DEV_CREATE, request); error != 0)
    return fail_errno("make device-mapper device " + name, error, "modprobe dm_mod",
                      error == ENOENT || error == ENODEV ? Origin::lacking : Origin::user);
  DmDevice device{.name = name, .path = {}, .number = decode_device(request.head.dev)};
  device.path = fmt::format("/dev/dm-{}", minor(device.number));
  Result<> ready = load_dm_backing(name, backing);
  if (ready) ready = resume_dm_device(name);
  if (ready) ready = wait_for_node(device.path);
  if (ready) return device;
  [[maybe_unused]] const auto ignored = remove_dm_device(name);
  return Failure{ready.error()};
}

Result<> suspend_dm_device(const std::string& name) {
  return told(
      "suspend", name,
      ask_by_name(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG));
}

Result<> resume_dm_device(const std::string& name) {
  const int error = ask_by_name(DM_DEV_SUSPEND, name, 0);
  return told("resume", name, is_gone(error) ? 0 : error);
}

Result<> load_dm_backing(const std::string& name, const DmBacking& backing) {
  Request request = request_for(name, 0);
  request.head.target_count = 1;
  request.target.length = backing.bytes / kSector;
  request.target.next = sizeof request.target + sizeof request.words;
  std::strncpy(request.target.target_type, "linear", sizeof request.target.target_type - 1);
  const auto written = fmt::format_to_n(request.words, sizeof request.words - 1, "{}:{} 0",
                                        major(backing.device), minor(backing.device));
  *written.out = '\0';
  return told("load the table of", name, ask(DM_TABLE_LOAD, request));
}

Result<> remove_dm_device(const std::string& name) {
  const Deadline deadline = Deadline::in(kCloseWithin);
  int error = ask_by_name(DM_DEV_REMOVE, name, 0);
  while (error == EBUSY && !deadline.passed()) {
    ::poll(nullptr, 0, 10);
    error = ask_by_name(DM_DEV_REMOVE, name, 0);
  }
  // The last user takes it along (drivers/md/dm-ioctl.c dev_remove, since 3.13).
  if (error == EBUSY) error = ask_by_name(DM_DEV_REMOVE, name, DM_DEFERRED_REMOVE);
  return told("remove", name, is_gone(error) ? 0 : error);
}

}  // namespace stallproof
