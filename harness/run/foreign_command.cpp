// SPDX-License-Identifier: Apache-2.0
#include "harness/run/foreign_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "harness/base/bounded.h"
#include "harness/base/process.h"

namespace stallproof {
namespace {

constexpr Nanos kExecDeadline = 10 * kSecond;

void put_signals_back() {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Between fork and exec: async-signal-safe calls only. Waits for one byte; end of file means that
// nobody wants it any more.
void wait_and_exec(int go, int failure, bool stdout_to_stderr, char* const* argv) {
  put_signals_back();
  char byte = 0;
  ssize_t got = 0;
  do got = ::read(go, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(127);
  if (stdout_to_stderr) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execvp(argv[0], argv);
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(failure, &error, sizeof error);
  ::_exit(127);
}

// "syscr: 12\nsyscw: 3\n": the sum. A zombie takes no lock that could be held for ever, but the
// file is one of those that can hang (do_io_accounting takes exec_update_lock, 5.11 to 6.18).
std::optional<std::uint64_t> calls_of(pid_t pid) {
  const auto text =
      read_file_bounded(fmt::format("/proc/{}/io", pid), Deadline::in(500 * kMillisecond));
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  std::uint64_t sum = 0;
  for (std::string key; lines >> key;) {
    std::uint64_t value = 0;
    lines >> value;
    if (key == "syscr:" || key == "syscw:") sum += value;
  }
  return sum;
}

}  // namespace

Result<ForeignCommand> ForeignCommand::prepare(const Options& options) {
  auto go = Pipe::create();
  if (!go) return Failure(go.error());
  auto failure = Pipe::create();
  if (!failure) return Failure(failure.error());
  std::vector<std::string> words = options.words;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // 3.4; without it orphans of the command are lost to init, and so is only their end.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  ForeignCommand command;
  command.pid_ = ::fork();
  if (command.pid_ < 0) return fail_errno("fork " + words[0], errno, {}, Origin::infra);
  if (command.pid_ == 0) {
    ::close(go->write_end.get());
    wait_and_exec(go->read_end.get(), failure->write_end.get(), options.stdout_to_stderr,
                  argv.data());
  }
  command.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, command.pid_, 0U)));
  command.go_ = std::move(go->write_end);
  command.failure_ = std::move(failure->read_end);
  return command;
}

ForeignCommand::ForeignCommand(ForeignCommand&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      go_(std::move(other.go_)),
      failure_(std::move(other.failure_)),
      started_(other.started_),
      status_(other.status_),
      calls_(other.calls_) {}

ForeignCommand::~ForeignCommand() {
  if (pid_ <= 0 || started_ || status_) return;
  ::kill(pid_, SIGKILL);  // still ours: it waits for a byte
  const Deadline deadline = Deadline::in(kSecond);
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0 && !deadline.passed()) ::poll(nullptr, 0, 1);
}

Result<> ForeignCommand::go() {
  started_ = true;
  if (::write(go_.get(), "g", 1) != 1)
    return fail_errno("start of the command", errno, {}, Origin::infra);
  go_.reset();
  int error = 0;
  // Close-on-exec: end of file is success.
  pollfd item{failure_.get(), POLLIN, 0};
  ::poll(&item, 1, Deadline::in(kExecDeadline).poll_ms());
  ::fcntl(failure_.get(), F_SETFL, O_NONBLOCK);
  if (::read(failure_.get(), &error, sizeof error) != static_cast<ssize_t>(sizeof error)) return {};
  return fail_errno("the command", error);
}

bool ForeignCommand::reap(const std::vector<pid_t>& not_these) {
  bool ended = false;
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) break;
    const pid_t pid = info.si_pid;
    if (std::find(not_these.begin(), not_these.end(), pid) != not_these.end()) break;
    if (pid == pid_) calls_ = calls_of(pid);
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) break;
    if (pid != pid_) continue;
    status_ = status;
    ended = true;
  }
  return ended;
}

void ForeignCommand::signal(int number) const {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

int shell_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::string find_program(const std::string& name) {
  const auto runs = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return runs(name) ? name : std::string();
  const char* const given = std::getenv("PATH");
  std::istringstream folders(given != nullptr ? given : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (runs(path)) return path;
  }
  return {};
}

}  // namespace stallproof
