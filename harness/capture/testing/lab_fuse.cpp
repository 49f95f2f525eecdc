// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/testing/lab_fuse.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "harness/base/clock.h"
#include "harness/base/fd.h"

namespace stallproof::testing {
namespace {

constexpr std::array<std::string_view, 4> kNames{"", "file", "direct", "audit"};  // node - 1
constexpr std::uint64_t kRoot = 1;
constexpr std::uint64_t kAudit = 4;
constexpr std::uint64_t kBytes = 1 << 20;
constexpr int kBeforeAuditMs = 300;  // long enough for the caller's other thread to get stuck

fuse_attr attributes(std::uint64_t node) {
  fuse_attr attr{};
  attr.ino = node;
  attr.nlink = 1;
  attr.blksize = 4096;
  attr.mode = node == kRoot ? S_IFDIR | 0755 : S_IFREG | 0755;
  attr.size = node == kRoot ? 0 : kBytes;
  return attr;
}

// One connection, one thread, no allocation: it runs in a fork of the test.
class Server {
 public:
  Server(int fd, const char* mount_point) : fd_(fd) {
    std::snprintf(other_.data(), other_.size(), "%s/other", mount_point);
  }
  void serve() {
    for (;;) {
      const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
      if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
      std::memcpy(&in_, buffer_.data(), sizeof(in_));
      answer();
    }
  }

 private:
  void reply_bytes(const void* body, std::size_t size) {
    fuse_out_header out{};
    out.len = static_cast<std::uint32_t>(sizeof(out) + size);
    out.unique = in_.unique;
    std::memcpy(message_.data(), &out, sizeof(out));
    if (size > 0) std::memcpy(message_.data() + sizeof(out), body, size);
    if (::write(fd_, message_.data(), out.len) < 0) return;
  }
  template <class Body>
  void reply(const Body& body) {
    reply_bytes(&body, sizeof(body));
  }
  void reply_error(int error) {
    fuse_out_header out{};
    out.len = sizeof(out);
    out.unique = in_.unique;
    out.error = -error;
    if (::write(fd_, &out, sizeof(out)) < 0) return;
  }

  void look_up() {
    const std::string_view name(buffer_.data() + sizeof(in_));
    if (name == "slow") return;
    if (name == "self") {
      struct stat found {};
      ::stat(other_.data(), &found);  // nobody but this thread could answer
    }
    for (std::size_t i = 1; i < kNames.size(); ++i) {
      if (name != kNames[i]) continue;
      fuse_entry_out out{};
      out.nodeid = i + 1;
      out.entry_valid = out.attr_valid = 3600;
      out.attr = attributes(i + 1);
      return reply(out);
    }
    reply_error(ENOENT);
  }

  void read_page() {
    fuse_read_in read{};
    std::memcpy(&read, buffer_.data() + sizeof(in_), sizeof(read));
    if (in_.nodeid == kAudit) look_at_caller();
    const std::array<char, 4096> zeros{};
    reply_bytes(zeros.data(), std::min<std::size_t>(read.size, zeros.size()));
  }

  void look_at_caller() {
    ::poll(nullptr, 0, kBeforeAuditMs);
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%u/cmdline", in_.pid);
    const Fd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
    std::array<char, 256> words{};
    if (::read(fd.get(), words.data(), words.size()) < 0) return;
  }

  void initialise() {
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = FUSE_KERNEL_MINOR_VERSION;
    out.max_readahead = 4096;
    out.max_write = 4096;
    out.flags = FUSE_PARALLEL_DIROPS;  // as libfuse asks for
    reply(out);
  }

  void open_file() {
    fuse_open_out out{};
    if (in_.nodeid >= 3) out.open_flags = FOPEN_DIRECT_IO;
    reply(out);
  }

  void write_page() {
    fuse_write_in write{};
    std::memcpy(&write, buffer_.data() + sizeof(in_), sizeof(write));
    reply(fuse_write_out{.size = write.size, .padding = 0});
  }

  void answer() {
    switch (in_.opcode) {
      case FUSE_INIT:
        return initialise();
      case FUSE_LOOKUP:
        return look_up();
      case FUSE_GETATTR:
      case FUSE_SETATTR: {
        fuse_attr_out out{};
        out.attr_valid = 3600;
        out.attr = attributes(in_.nodeid);
        return reply(out);
      }
      case FUSE_OPEN:
      case FUSE_OPENDIR:
        return open_file();
      case FUSE_READ:
        return read_page();
      case FUSE_WRITE:
        return write_page();
      case FUSE_FLUSH:
      case FUSE_FSYNC:
      case FUSE_RELEASE:
      case FUSE_RELEASEDIR:
        return reply_error(0);
      case FUSE_MKDIR:
      case FUSE_CREATE:
      case FUSE_UNLINK:
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;
      default:
        return reply_error(ENOSYS);
    }
  }

  int fd_;
  fuse_in_header in_{};
  std::array<char, 64> other_{};
  std::array<char, 1 << 17> buffer_{};
  std::array<char, 8192> message_{};
};

[[noreturn]] void run_server(int fd, const char* mount_point) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "lab_fuse");
  static Server server(fd, mount_point);
  server.serve();
  ::_exit(0);
}

bool reap(pid_t pid, Nanos limit) {
  const Deadline deadline = Deadline::in(limit);
  while (!deadline.passed()) {
    if (::waitpid(pid, nullptr, WNOHANG) != 0) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

}  // namespace

LabFuse::LabFuse(LabFuse&& other) noexcept
    : mount_point_(std::exchange(other.mount_point_, {})),
      server_(std::exchange(other.server_, -1)) {}

Result<LabFuse> LabFuse::start() {
  std::string directory = "/tmp/lab_fuse.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return fail_errno("mkdtemp " + directory, errno);
  const Fd fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("open /dev/fuse", errno);
  const std::string options =
      fmt::format("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", fd.get());
  if (::mount("lab", directory.c_str(), "fuse.lab", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    const int error = errno;
    ::rmdir(directory.c_str());
    return fail_errno("mount " + directory, error);
  }
  LabFuse fuse;
  fuse.mount_point_ = directory;
  const pid_t pid = ::fork();
  if (pid == 0) run_server(fd.get(), directory.c_str());
  if (pid < 0) return fail_errno("fork", errno);
  fuse.server_ = pid;
  return fuse;
}

bool LabFuse::stop() {
  ::kill(server_, SIGSTOP);
  int status = 0;
  const Deadline deadline = Deadline::in(2 * kSecond);
  while (!deadline.passed()) {
    if (::waitpid(server_, &status, WNOHANG | WUNTRACED) == server_) return WIFSTOPPED(status);
    ::poll(nullptr, 0, 2);
  }
  return false;
}

void LabFuse::heal() {
  if (mount_point_.empty()) return;
  // MNT_FORCE aborts the connection (fuse_umount_begin) even when the mount is busy.
  ::umount2(mount_point_.c_str(), MNT_FORCE | UMOUNT_NOFOLLOW);
  const pid_t server = std::exchange(server_, -1);
  ::kill(server, SIGKILL);
  reap(server, 3 * kSecond);
  ::umount2(mount_point_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  ::rmdir(mount_point_.c_str());
  mount_point_.clear();
}

}  // namespace stallproof::testing
