// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/probe_child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "harness/base/privileges.h"

namespace stallproof {
namespace {

constexpr std::size_t kMaxPath = 4096;
// A killed child that is not stuck is gone within milliseconds.
constexpr Nanos kDiesWithin = 20 * kMillisecond;

void close_all_but(int keep) {
  if (keep > 3) ::close_range(3, static_cast<unsigned>(keep) - 1, 0);
  if (::close_range(static_cast<unsigned>(keep) + 1, ~0U, 0) == 0) return;
  for (int fd = 3; fd < 1024; ++fd)
    if (fd != keep) ::close(fd);
}

// Only async-signal-safe calls: the parent may have threads.
[[noreturn]] void serve(int socket, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::prctl(PR_SET_NAME, "sp-probe");
  close_all_but(socket);
  give_up_all_but(kKeptByProbe);
  static std::array<char, kMaxPath + 1> path;
  static std::array<char, sizeof(int) + ProbeChild::kMaxBytes> answer;
  for (;;) {
    const ssize_t length = ::recv(socket, path.data(), kMaxPath, 0);
    if (length <= 0) ::_exit(0);
    path[static_cast<std::size_t>(length)] = '\0';
    std::size_t used = 0;
    int error = 0;
    const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) error = errno;
    while (error == 0 && used < ProbeChild::kMaxBytes) {
      const ssize_t got =
          ::read(fd, answer.data() + sizeof(int) + used, ProbeChild::kMaxBytes - used);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error = errno;
      if (got <= 0) break;
      used += static_cast<std::size_t>(got);
    }
    if (fd >= 0) ::close(fd);
    std::memcpy(answer.data(), &error, sizeof(error));
    if (::send(socket, answer.data(), sizeof(int) + used, MSG_NOSIGNAL) < 0) ::_exit(0);
  }
}

}  // namespace

Result<ProbeChild> ProbeChild::start() {
  ProbeChild child;
  const Result<> spawned = child.spawn();
  if (!spawned) return fail(spawned.error().what, spawned.error().origin);
  return child;
}

ProbeChild::~ProbeChild() {
  give_up();
  static_cast<void>(abandoned());
}

Result<> ProbeChild::spawn() {
  if (abandoned() >= kMaxAbandoned)
    return fail(
        fmt::format("probe: {} children hang in the kernel; no more are started", killed_.size()),
        Origin::infra);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("probe: socketpair", errno, {}, Origin::infra);
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("probe: fork", errno, {}, Origin::infra);
  if (pid == 0) serve(theirs.get(), parent);
  socket_ = std::move(ours);
  pid_.value = pid;
  return {};
}

void ProbeChild::give_up() {
  socket_.reset();
  if (pid_.value <= 0) return;
  ::kill(pid_.value, SIGKILL);
  killed_.push_back({std::exchange(pid_.value, -1), monotonic_now()});
}

std::size_t ProbeChild::reap() {
  std::erase_if(killed_,
                [](const Killed& each) { return ::waitpid(each.pid, nullptr, WNOHANG) != 0; });
  return killed_.size();
}

std::size_t ProbeChild::stuck() {
  reap();
  const Nanos now = monotonic_now();
  return static_cast<std::size_t>(
      std::count_if(killed_.begin(), killed_.end(),
                    [now](const Killed& each) { return now >= each.at_ns + kDiesWithin; }));
}

std::size_t ProbeChild::abandoned() {
  const Deadline deadline = Deadline::in(kDiesWithin);
  while (reap() != 0 && !deadline.passed()) ::poll(nullptr, 0, 1);
  return killed_.size();
}

Result<std::string> ProbeChild::read(const std::string& path, Deadline deadline) {
  if (path.empty() || path.size() > kMaxPath) return fail("probe: not a path: '" + path + "'");
  if (pid_.value <= 0) {
    const Result<> spawned = spawn();
    if (!spawned) return fail(spawned.error().what, spawned.error().origin);
  }
  if (::send(socket_.get(), path.data(), path.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    const int error = errno;
    give_up();
    return fail_errno("probe: send " + path, error, {}, Origin::infra);
  }
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  int polled = 0;
  do polled = ::poll(&ready, 1, deadline.poll_ms());
  while (polled < 0 && errno == EINTR);
  if (polled <= 0) {
    ++timeouts_;
    ++timeouts_by_file_[path.substr(path.rfind('/') + 1)];
    give_up();
    return fail("probe: " + path + " did not answer in time", Origin::infra);
  }
  std::string answer(sizeof(int) + kMaxBytes, '\0');
  const ssize_t got = ::recv(socket_.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (got < static_cast<ssize_t>(sizeof(int))) {
    give_up();
    return fail("probe: the child died while it read " + path, Origin::infra);
  }
  int error = 0;
  std::memcpy(&error, answer.data(), sizeof(error));
  if (error != 0) return fail_errno("probe: read " + path, error, {}, Origin::infra);
  return answer.substr(sizeof(int), static_cast<std::size_t>(got) - sizeof(int));
}

}  // namespace stallproof
