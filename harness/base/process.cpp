// SPDX-License-Identifier: Apache-2.0
#include "harness/base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr unsigned kCloseRangeCloexec = 1U << 2U;

struct OriginWord {
  Origin origin;
  std::string_view word;
};
constexpr std::array kOriginWords{OriginWord{Origin::user, "user: "},
                                  OriginWord{Origin::lacking, "lacking: "},
                                  OriginWord{Origin::infra, "infra: "}};

Failure reported_failure(std::string_view who, std::string_view line) {
  Origin origin = Origin::infra;
  for (const OriginWord& each : kOriginWords) {
    if (!line.starts_with(each.word)) continue;
    origin = each.origin;
    line.remove_prefix(each.word.size());
    break;
  }
  return fail(fmt::format("start {}: {}", who, line), origin);
}

// These run between fork and exec: async-signal-safe calls only.
void die_with(pid_t parent, int signal_number) {
  ::prctl(PR_SET_PDEATHSIG, signal_number);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void become_child(pid_t parent, const std::vector<int>& keep, char* const* argv, int program) {
  die_with(parent, SIGKILL);
  // close_range is 5.9+; without it only our own descriptors matter, and those are close-on-exec.
  ::syscall(SYS_close_range, 3U, ~0U, kCloseRangeCloexec);
  for (const int fd : keep) ::fcntl(fd, F_SETFD, 0);
  if (program >= 0) ::syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
  ::execv("/proc/self/exe", argv);
  ::_exit(127);
}

void become_command(pid_t parent, int out, int err, char* const* argv) {
  die_with(parent, SIGTERM);
  // `err` may be the descriptor that becomes stdout.
  const int kept_err = ::fcntl(err, F_DUPFD_CLOEXEC, 3);
  if (::dup2(out, STDOUT_FILENO) < 0 || ::dup2(kept_err, STDERR_FILENO) < 0) ::_exit(127);
  ::syscall(SYS_close_range, 3U, ~0U, kCloseRangeCloexec);
  ::execv("/proc/self/exe", argv);
  ::_exit(127);
}

std::vector<char*> argv_of(std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return argv;
}

}  // namespace

Result<Child> Child::spawn(std::string_view role, const std::vector<std::string>& args,
                           const std::vector<int>& keep, int program) {
  std::vector<std::string> words{"stallproof", "child", std::string(role)};
  words.insert(words.end(), args.begin(), args.end());
  const std::vector<char*> argv = argv_of(words);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork " + std::string(role), errno, {}, Origin::infra);
  if (pid == 0) become_child(parent, keep, argv.data(), program);
  Child child;
  child.pid_ = pid;
  child.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  return child;
}

Result<Child> Child::spawn_command(const std::vector<std::string>& words, int out, int err) {
  std::vector<std::string> command{"stallproof"};
  command.insert(command.end(), words.begin(), words.end());
  const std::vector<char*> argv = argv_of(command);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork stallproof " + words.front(), errno, {}, Origin::infra);
  if (pid == 0) become_command(parent, out, err, argv.data());
  Child child;
  child.pid_ = pid;
  child.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  return child;
}

std::optional<int> Child::try_reap() {
  if (status_ || pid_ < 0) return status_;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == pid_) status_ = status;
  return status_;
}

std::optional<int> Child::reap_by(Deadline deadline) {
  while (!try_reap() && !deadline.passed()) {
    if (pidfd_.valid()) {
      pollfd item{pidfd_.get(), POLLIN, 0};
      ::poll(&item, 1, deadline.poll_ms());
    } else {
      ::poll(nullptr, 0, std::min(deadline.poll_ms(), 5));
    }
  }
  return try_reap();
}

void Child::signal(int number) const {
  // A reaped pid may belong to somebody else by now.
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

std::string describe_status(int wait_status) {
  if (WIFEXITED(wait_status)) return fmt::format("exit {}", WEXITSTATUS(wait_status));
  if (WIFSIGNALED(wait_status))
    return fmt::format("killed by signal {} ({})", WTERMSIG(wait_status),
                       ::strsignal(WTERMSIG(wait_status)));
  return fmt::format("wait status {:#x}", static_cast<unsigned>(wait_status));
}

Result<Pipe> Pipe::create() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe", errno, {}, Origin::infra);
  Pipe pipe;
  pipe.read_end = Fd(ends[0]);
  pipe.write_end = Fd(ends[1]);
  return pipe;
}

Result<> wait_ready(const Fd& read_end, std::string_view who, Deadline deadline) {
  std::string line;
  while (!deadline.passed()) {
    pollfd item{read_end.get(), POLLIN, 0};
    if (::poll(&item, 1, deadline.poll_ms()) <= 0) continue;
    char chunk[512];
    const ssize_t n = ::read(read_end.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return fail(fmt::format("start {}: it died before it was ready", who), Origin::infra);
    line.append(chunk, static_cast<std::size_t>(n));
    if (line.find('\n') == std::string::npos) continue;
    line.resize(line.find('\n'));
    if (line == "ready") return {};
    return reported_failure(who, line);
  }
  return fail(fmt::format("start {}: not ready within the deadline", who), Origin::infra);
}

void report_ready(int ready_fd) {
  [[maybe_unused]] const ssize_t n = ::write(ready_fd, "ready\n", 6);
  ::close(ready_fd);
}

void report_failure(int ready_fd, const std::string& what) {
  std::string line = what;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  [[maybe_unused]] const ssize_t n = ::write(ready_fd, line.data(), line.size());
  ::close(ready_fd);
}

void report_failure(int ready_fd, const Error& error) {
  for (const OriginWord& each : kOriginWords)
    if (each.origin == error.origin)
      return report_failure(ready_fd, std::string(each.word) + error.what);
}

}  // namespace stallproof
