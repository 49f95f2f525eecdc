// SPDX-License-Identifier: Apache-2.0
#include "harness/base/bounded.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/base/fd.h"
#include "harness/base/process.h"

namespace stallproof {
namespace {

void close_range_of(unsigned from, unsigned to) {
  if (from > to || ::syscall(SYS_close_range, from, to, 0U) == 0) return;
  // Before 5.9.
  const long most = ::sysconf(_SC_OPEN_MAX);
  const auto end = static_cast<unsigned>(most < 0 ? 65536L : std::min(most, 65536L));
  for (unsigned fd = from; fd <= to && fd < end; ++fd) ::close(static_cast<int>(fd));
}

void close_all_but(int kept) {
  const auto keep = static_cast<unsigned>(kept > 2 ? kept : 2);
  close_range_of(3, keep - 1);
  close_range_of(keep + 1, ~0U);
}

// Polls by waitpid in small steps: these children live for microseconds or for ever.
int reap_bounded(pid_t pid, Deadline deadline) {
  for (int step_ms = 0;; step_ms = 1) {
    int status = 0;
    const pid_t got = ::waitpid(pid, &status, WNOHANG);
    if (got == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    if (got < 0) return ECHILD;
    if (deadline.passed()) break;
    ::poll(nullptr, 0, step_ms);
  }
  ::kill(pid, SIGKILL);
  ::poll(nullptr, 0, 10);
  ::waitpid(pid, nullptr, WNOHANG);
  return ETIMEDOUT;
}

int copy_all(int from, int into) {
  std::array<char, 16384> chunk;
  for (;;) {
    const ssize_t n = ::read(from, chunk.data(), chunk.size());
    if (n <= 0) return n < 0 ? errno : 0;
    // A short write means that the reader is gone.
    if (::write(into, chunk.data(), static_cast<std::size_t>(n)) != n) return EPIPE;
  }
}

// Until the other end is closed, or the deadline.
std::string collect(int from, Deadline deadline) {
  std::string content;
  std::array<char, 16384> chunk;
  while (!deadline.passed()) {
    pollfd item{from, POLLIN, 0};
    if (::poll(&item, 1, deadline.poll_ms()) <= 0) continue;
    const ssize_t n = ::read(from, chunk.data(), chunk.size());
    if (n <= 0) break;
    content.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return content;
}

}  // namespace

pid_t fork_bounded(const std::function<int()>& work, int kept_fd) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(ECHILD);
  close_all_but(kept_fd);
  ::_exit(work() & 0xff);
}

int run_bounded(const std::function<int()>& work, Deadline deadline) {
  const pid_t pid = fork_bounded(work);
  return pid < 0 ? errno : reap_bounded(pid, deadline);
}

BoundedText text_bounded(const std::function<int(int into)>& work, Deadline deadline) {
  auto pipe = Pipe::create();
  if (!pipe) return {.error = EMFILE};
  const int into = pipe->write_end.get();
  const pid_t pid = fork_bounded([&work, into] { return work(into); }, into);
  if (pid < 0) return {.error = errno};
  pipe->write_end.reset();
  BoundedText result;
  result.text = collect(pipe->read_end.get(), deadline);
  result.error = reap_bounded(pid, deadline);
  return result;
}

Result<std::string> read_file_bounded(const std::string& path, Deadline deadline) {
  const auto copy = [&path](int into) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return errno;
    return copy_all(file.get(), into);
  };
  BoundedText read = text_bounded(copy, deadline);
  if (read.error != 0) return fail_errno("read " + path, read.error, {}, Origin::infra);
  return std::move(read.text);
}

}  // namespace stallproof
