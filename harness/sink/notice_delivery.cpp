// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice_delivery.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/process.h"

namespace stallproof {
namespace {

constexpr std::size_t kSaidMost = 4096, kLineMost = 200;
constexpr Nanos kDiesWithin = kSecond;

// Between fork and exec: async-signal-safe calls only. Its own group, so that all of it can be
// killed and no key of a terminal reaches it.
[[noreturn]] void become_command(char* const* argv, const char* directory, int input, int output) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (::chdir(directory) != 0 && ::chdir("/") != 0) ::_exit(126);
  ::execv(argv[0], argv);
  ::_exit(127);
}

void do_not_block(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

}  // namespace

Result<NoticeDelivery> NoticeDelivery::start(const Order& order, Deadline deadline) {
  auto input = Pipe::create();
  if (!input) return Failure(input.error());
  auto output = Pipe::create();
  if (!output) return Failure(output.error());
  std::vector<std::string> words = order.command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  NoticeDelivery delivery(deadline);
  delivery.pid_ = ::fork();
  if (delivery.pid_ < 0) return fail_errno("fork", errno, {}, Origin::infra);
  if (delivery.pid_ == 0)
    become_command(argv.data(), order.directory.c_str(), input->read_end.get(),
                   output->write_end.get());
  ::setpgid(delivery.pid_, delivery.pid_);  // whoever of the two comes first
  delivery.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, delivery.pid_, 0U)));
  delivery.text_ = order.text + "\n";
  delivery.input_ = std::move(input->write_end);
  delivery.output_ = std::move(output->read_end);
  do_not_block(delivery.input_);
  do_not_block(delivery.output_);
  return delivery;
}

void NoticeDelivery::add_to(std::vector<pollfd>& items) const {
  if (input_.valid()) items.push_back({input_.get(), POLLOUT, 0});
  if (output_.valid()) items.push_back({output_.get(), POLLIN, 0});
  if (pidfd_.valid()) items.push_back({pidfd_.get(), POLLIN, 0});
}

void NoticeDelivery::write_input() {
  while (input_.valid()) {
    const ssize_t n = ::write(input_.get(), text_.data(), text_.size());
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) text_.erase(0, static_cast<std::size_t>(n));
    if (n <= 0 || text_.empty()) input_.reset();
  }
}

void NoticeDelivery::read_output() {
  char chunk[1024];
  while (output_.valid()) {
    const ssize_t n = ::read(output_.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return output_.reset();
    said_.append(chunk, static_cast<std::size_t>(n));
    if (said_.size() > kSaidMost) said_.erase(0, said_.size() - kSaidMost);
  }
}

bool NoticeDelivery::step() {
  if (over_) return true;
  write_input();
  read_output();
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (deadline_.passed()) give_up();
    return over_;
  }
  over_ = true;
  read_output();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    failure_ = describe_status(status) + last_line();
  return true;
}

void NoticeDelivery::give_up() {
  if (over_) return;
  over_ = true;
  failure_ = "not done in time, killed" + last_line();
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  int status = 0;
  const Deadline dies = Deadline::in(kDiesWithin);
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (dies.passed()) {
      failure_ = fmt::format("not done in time, and process {} cannot be killed", pid_);
      return;
    }
    ::poll(nullptr, 0, 5);
  }
}

// ": connection refused", of what it said last.
std::string NoticeDelivery::last_line() const {
  std::string text = said_;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  text.erase(0, text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < ' ' || letter == 127) letter = ' ';
  if (text.empty()) return text;
  return ": " + text.substr(0, kLineMost);
}

}  // namespace stallproof
