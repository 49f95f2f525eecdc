// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/ext4_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/base/clock.h"

namespace stallproof {
namespace {

// Where a user's PATH may not lead.
constexpr std::array kMakers{"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"};
constexpr int kNoMaker = 127;
constexpr Nanos kMakeWithin = 10 * kSecond;

// The whole of it at once: no kernel thread goes on making it while it is under test.
[[noreturn]] void become_maker(int image) {
  const std::string path = fmt::format("/proc/self/fd/{}", image);
  const char* const maker = ::access(kMakers[0], X_OK) == 0 ? kMakers[0] : kMakers[1];
  ::execl(maker, "mkfs.ext4", "-q", "-F", "-m", "0", "-E",
          "nodiscard,lazy_itable_init=0,lazy_journal_init=0", path.c_str(), nullptr);
  ::_exit(kNoMaker);
}

// How it ended; -1: it did not.
int ended_by(pid_t pid, Deadline deadline) {
  for (int status = 0; !deadline.passed(); ::poll(nullptr, 0, 1))
    if (::waitpid(pid, &status, WNOHANG) == pid) return status;
  ::kill(pid, SIGKILL);
  return -1;
}

Result<> make_file_system(const Fd& image) {
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork", errno, {}, Origin::infra);
  if (pid == 0) become_maker(image.get());
  const int status = ended_by(pid, Deadline::in(kMakeWithin));
  if (status == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMaker)
    return fail("mkfs.ext4 is not there (install e2fsprogs)", Origin::lacking);
  return fail("mkfs.ext4 of an image in memory did not work", Origin::infra);
}

}  // namespace

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
  if (auto made = make_file_system(image); !made) return made;
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
