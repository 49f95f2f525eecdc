// SPDX-License-Identifier: Apache-2.0
#include "harness/base/background_text.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace stallproof {
namespace {

// Grows as it is written to. Before 3.17 an unlinked file in /dev/shm.
Fd open_memory() {
  Fd memory(static_cast<int>(::syscall(SYS_memfd_create, "stallproof-text", MFD_CLOEXEC)));
  if (memory.valid()) return memory;
  std::string path = "/dev/shm/stallproof-text-XXXXXX";
  memory = Fd(::mkostemp(path.data(), O_CLOEXEC));
  if (memory.valid()) ::unlink(path.c_str());
  return memory;
}

}  // namespace

Result<BackgroundText> BackgroundText::start(const std::function<int(int into)>& work,
                                             Deadline deadline) {
  Fd memory = open_memory();
  if (!memory.valid()) return fail_errno("memory for a child's text", errno, {}, Origin::infra);
  const int into = memory.get();
  const pid_t pid = fork_bounded([&work, into] { return work(into); }, into);
  if (pid < 0) return fail_errno("fork", errno, {}, Origin::infra);
  return BackgroundText(std::move(memory), pid, deadline);
}

BackgroundText::BackgroundText(BackgroundText&& other) noexcept
    : memory_(std::move(other.memory_)),
      pid_(std::exchange(other.pid_, -1)),
      deadline_(other.deadline_),
      error_(other.error_) {}

BackgroundText::~BackgroundText() {
  if (pid_ > 0 && !error_) give_up();
}

bool BackgroundText::over() {
  if (error_) return true;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == pid_)
    error_ = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
  else if (got < 0)
    error_ = ECHILD;
  else if (deadline_.passed())
    give_up();
  return error_.has_value();
}

void BackgroundText::wait(Deadline until) {
  while (!over() && !until.passed()) ::poll(nullptr, 0, 1);
}

void BackgroundText::give_up() {
  if (error_) return;
  ::kill(pid_, SIGKILL);
  ::poll(nullptr, 0, 10);
  ::waitpid(pid_, nullptr, WNOHANG);
  error_ = ETIMEDOUT;
}

BoundedText BackgroundText::take() {
  BoundedText result{.text = {}, .error = error_.value_or(EBUSY)};
  struct stat info {};
  if (::fstat(memory_.get(), &info) != 0 || info.st_size <= 0) return result;
  result.text.resize(static_cast<std::size_t>(info.st_size));
  std::size_t got = 0;
  while (got < result.text.size()) {
    const ssize_t n = ::pread(memory_.get(), result.text.data() + got, result.text.size() - got,
                              static_cast<off_t>(got));
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  result.text.resize(got);
  memory_.reset();
  return result;
}

}  // namespace stallproof
