// SPDX-License-Identifier: Apache-2.0
// A small ext4 file system in memory, mounted where only this process sees it: it is gone when the
// process is, however that ends. For single-threaded test processes of root.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class LoopMount {
 public:
  static Result<std::unique_ptr<LoopMount>> make(std::uint64_t size) {
    std::unique_ptr<LoopMount> made(new LoopMount);
    char pattern[] = "/tmp/stallproof-ext4-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) return fail_errno("make a directory", errno);
    made->directory_ = pattern;
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return fail_errno("mounts of its own", errno);
    // Not sealed and not named: it lives as long as the loop device that uses it.
    const Fd image(::memfd_create("stallproof-ext4", 0));
    if (::ftruncate(image.get(), static_cast<off_t>(size)) != 0)
      return fail_errno("size the image", errno);
    if (!make_file_system(image.get())) return fail("mkfs.ext4 did not work");
    if (auto attached = made->attach(image.get()); !attached) return Failure{attached.error()};
    return made;
  }
  LoopMount(const LoopMount&) = delete;
  LoopMount& operator=(const LoopMount&) = delete;
  ~LoopMount() {
    detach();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove(directory_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name = "data") const {
    return directory_ + "/" + name;
  }
  // Lazily: whoever has a file open goes on.
  void detach() { ::umount2(directory_.c_str(), MNT_DETACH); }

 private:
  LoopMount() = default;

  static bool make_file_system(int image) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string path = fmt::format("/proc/self/fd/{}", image);
      ::execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-m", "0", path.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid && status == 0;
  }
  // Auto-clear: the last unmount frees the device, in whatever way it comes about.
  Result<> attach(int image) {
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const int number = control.valid() ? ::ioctl(control.get(), LOOP_CTL_GET_FREE) : -1;
    if (number < 0) return fail_errno("find a loop device", errno);
    const std::string device = fmt::format("/dev/loop{}", number);
    const Fd loop(::open(device.c_str(), O_RDWR | O_CLOEXEC));
    loop_config config{};
    config.fd = static_cast<unsigned>(image);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (!loop.valid() || ::ioctl(loop.get(), LOOP_CONFIGURE, &config) != 0)
      return fail_errno("attach " + device, errno);
    if (::mount(device.c_str(), directory_.c_str(), "ext4", 0, nullptr) != 0)
      return fail_errno("mount " + device, errno);
    return {};
  }

  std::string directory_;
};

}  // namespace stallproof
