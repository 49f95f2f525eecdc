// SPDX-License-Identifier: Apache-2.0
#include "harness/base/bounded.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/process.h"

namespace stallproof {
namespace {

pid_t fork_bounded(const std::function<int()>& work) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(ECHILD);
  ::_exit(work() & 0xff);
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

}  // namespace

int run_bounded(const std::function<int()>& work, Deadline deadline) {
  const pid_t pid = fork_bounded(work);
  return pid < 0 ? errno : reap_bounded(pid, deadline);
}

Result<std::string> read_file_bounded(const std::string& path, Deadline deadline) {
  auto pipe = Pipe::create();
  if (!pipe) return Failure(pipe.error());
  const int into = pipe->write_end.get();
  const pid_t pid = fork_bounded([&path, into] {
    const auto content = read_file(path, 1U << 20U);
    if (!content) return ENOENT;
    // A pipe holds 64 KiB: longer content is cut rather than waited for.
    const std::size_t length = content->size() < 65536 ? content->size() : 65536;
    return ::write(into, content->data(), length) == static_cast<ssize_t>(length) ? 0 : EIO;
  });
  if (pid < 0) return fail_errno("read " + path, errno, {}, Origin::infra);
  const int outcome = reap_bounded(pid, deadline);
  if (outcome != 0) return fail_errno("read " + path, outcome, {}, Origin::infra);
  pipe->write_end.reset();
  std::string content(65536, '\0');
  const ssize_t n = ::read(pipe->read_end.get(), content.data(), content.size());
  content.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return content;
}

}  // namespace stallproof
