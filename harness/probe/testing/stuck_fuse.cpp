// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/testing/stuck_fuse.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

namespace stallproof::testing {
namespace {

constexpr std::uint64_t kFileNode = 2;
constexpr std::uint64_t kFileBytes = 1 << 20;
constexpr std::uint64_t kPageBytes = 4096;

// One connection, one thread, no allocation: it runs in a fork of the test.
class Server {
 public:
  Server(int fd, unsigned errors) : fd_(fd), errors_(errors) {}
  void serve() {
    for (;;) {
      const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
      if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
      fuse_in_header in{};
      std::memcpy(&in, buffer_.data(), sizeof(in));
      answer(in);
    }
  }

 private:
  template <class Body>
  void reply(const fuse_in_header& in, const Body& body) {
    fuse_out_header out{};
    out.len = static_cast<std::uint32_t>(sizeof(out) + sizeof(body));
    out.unique = in.unique;
    std::array<char, sizeof(out) + sizeof(body)> message{};
    std::memcpy(message.data(), &out, sizeof(out));
    std::memcpy(message.data() + sizeof(out), &body, sizeof(body));
    if (::write(fd_, message.data(), message.size()) < 0) return;
  }
  void reply_error(const fuse_in_header& in, int error) {
    fuse_out_header out{};
    out.len = sizeof(out);
    out.unique = in.unique;
    out.error = -error;
    if (::write(fd_, &out, sizeof(out)) < 0) return;
  }

  static fuse_attr attributes(std::uint64_t node) {
    fuse_attr attr{};
    attr.ino = node;
    attr.nlink = 1;
    attr.blksize = 4096;
    attr.mode = node == kFileNode ? S_IFREG | 0644 : S_IFDIR | 0755;
    attr.size = node == kFileNode ? kFileBytes : 0;
    return attr;
  }

  // Counts this one.
  unsigned reads_of_page() {
    fuse_read_in read{};
    std::memcpy(&read, buffer_.data() + sizeof(fuse_in_header), sizeof(read));
    return ++reads_[(read.offset / kPageBytes) % reads_.size()];
  }

  void answer(const fuse_in_header& in) {
    switch (in.opcode) {
      case FUSE_INIT: {
        fuse_init_out out{};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = FUSE_KERNEL_MINOR_VERSION;
        out.max_readahead = 4096;
        out.max_write = 4096;
        return reply(in, out);
      }
      case FUSE_LOOKUP: {
        if (std::strcmp(buffer_.data() + sizeof(in), "file") != 0) return reply_error(in, ENOENT);
        fuse_entry_out out{};
        out.nodeid = kFileNode;
        out.entry_valid = out.attr_valid = 3600;
        out.attr = attributes(kFileNode);
        return reply(in, out);
      }
      case FUSE_GETATTR: {
        fuse_attr_out out{};
        out.attr_valid = 3600;
        out.attr = attributes(in.nodeid);
        return reply(in, out);
      }
      case FUSE_OPEN:
      case FUSE_OPENDIR:
        return reply(in, fuse_open_out{});
      case FUSE_READ:
        if (reads_of_page() > errors_) return;
        return reply_error(in, EIO);
      case FUSE_MKDIR:
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;
      default:
        return reply_error(in, ENOSYS);
    }
  }

  int fd_;
  unsigned errors_;
  std::array<unsigned, kFileBytes / kPageBytes> reads_{};
  std::array<char, 1 << 17> buffer_{};
};

[[noreturn]] void run_server(int fd, unsigned errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "stuck_fuse");
  static Server* server = nullptr;
  server = new Server(fd, errors);
  server->serve();
  ::_exit(0);
}

}  // namespace

bool kill_and_reap(pid_t pid) {
  if (pid <= 0) return true;
  ::kill(pid, SIGKILL);
  const Deadline deadline = Deadline::in(3 * kSecond);
  while (!deadline.passed()) {
    if (::waitpid(pid, nullptr, WNOHANG) != 0) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

StuckFuse::StuckFuse(StuckFuse&& other) noexcept
    : mount_point_(std::exchange(other.mount_point_, {})),
      server_(std::exchange(other.server_, -1)) {}

Result<StuckFuse> StuckFuse::start(unsigned errors_per_page) {
  std::string directory = "/tmp/stuck_fuse.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return fail_errno("mkdtemp " + directory, errno);
  const Fd fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("open /dev/fuse", errno);
  const std::string options =
      "fd=" + std::to_string(fd.get()) + ",rootmode=40000,user_id=0,group_id=0";
  if (::mount("stuck", directory.c_str(), "fuse.stuck", MS_NOSUID | MS_NODEV, options.c_str()) !=
      0) {
    const int error = errno;
    ::rmdir(directory.c_str());
    return fail_errno("mount " + directory, error);
  }
  StuckFuse fuse;
  fuse.mount_point_ = directory;
  const pid_t pid = ::fork();
  if (pid == 0) run_server(fd.get(), errors_per_page);
  if (pid < 0) return fail_errno("fork", errno);
  fuse.server_ = pid;
  return fuse;
}

void StuckFuse::heal() {
  if (mount_point_.empty()) return;
  // MNT_FORCE aborts the connection (fuse_umount_begin) even when the mount is busy.
  ::umount2(mount_point_.c_str(), MNT_FORCE | UMOUNT_NOFOLLOW);
  kill_and_reap(std::exchange(server_, -1));
  ::umount2(mount_point_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  ::rmdir(mount_point_.c_str());
  mount_point_.clear();
}

}  // namespace stallproof::testing
