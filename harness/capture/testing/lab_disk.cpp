// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/testing/lab_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <csignal>

namespace stallproof::testing {
namespace {

constexpr off_t kBytes = 16 << 20;

[[noreturn]] void guard(int root, pid_t parent) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
  int signal = 0;
  if (::getppid() == parent) ::sigwait(&set, &signal);
  ::ioctl(root, FITHAW, 0);
  ::_exit(0);
}

bool make_file_system(int image) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string path = fmt::format("/proc/self/fd/{}", image);
    ::execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-m", "0", path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace

Result<> LabDisk::mount_new() {
  std::string pattern = "/tmp/lab_disk.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return fail_errno("mkdtemp " + pattern, errno);
  directory_ = pattern;
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("mounts of its own", errno);
  const Fd image(::memfd_create("lab_disk", 0));
  if (::ftruncate(image.get(), kBytes) != 0) return fail_errno("size the image", errno);
  if (!make_file_system(image.get())) return fail("mkfs.ext4 did not work");
  if (!loop_.attach(image.get())) return fail_errno("attach a loop device", errno);
  if (::mount(loop_.path().c_str(), directory_.c_str(), "ext4", 0, nullptr) != 0)
    return fail_errno("mount " + loop_.path(), errno);
  return {};
}

Result<std::unique_ptr<LabDisk>> LabDisk::make() {
  std::unique_ptr<LabDisk> disk(new LabDisk);
  if (auto mounted = disk->mount_new(); !mounted) return Failure(mounted.error());
  disk->root_ = Fd(::open(disk->directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!disk->root_.valid()) return fail_errno("open " + disk->directory_, errno);
  const pid_t parent = ::getpid();
  disk->guard_ = ::fork();
  if (disk->guard_ == 0) guard(disk->root_.get(), parent);
  return disk;
}

LabDisk::~LabDisk() {
  thaw();
  if (guard_ > 0) {
    ::kill(guard_, SIGKILL);
    ::waitpid(guard_, nullptr, 0);
  }
  root_.reset();
  ::umount2(directory_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  ::rmdir(directory_.c_str());
}

bool LabDisk::freeze() { return ::ioctl(root_.get(), FIFREEZE, 0) == 0; }
void LabDisk::thaw() { ::ioctl(root_.get(), FITHAW, 0); }

std::string LabDisk::device() const {
  struct stat about {};
  ::fstat(root_.get(), &about);
  return fmt::format("{}:{}", major(about.st_dev), minor(about.st_dev));
}

}  // namespace stallproof::testing
