// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/testing/lab_process.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "harness/base/clock.h"

namespace stallproof::testing {
namespace {

constexpr int kUntilStuckMs = 120;

template <class Condition>
bool comes_true(Condition condition) {
  const Deadline deadline = Deadline::in(3 * kSecond);
  while (!condition()) {
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

}  // namespace

LabProcess::LabProcess()
    : board_(static_cast<Board*>(::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

LabProcess::~LabProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    comes_true([this] { return ::waitpid(pid_, nullptr, WNOHANG) != 0; });
  }
  ::munmap(board_, sizeof(Board));
}

void LabProcess::run(const std::function<bool()>& prepare, const std::vector<LabStep>& steps) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // An aborted connection answers a fault with SIGBUS: that ends the process, without a core file.
  ::signal(SIGBUS, [](int) { ::_exit(0); });
  if (!prepare()) ::_exit(1);
  std::vector<std::thread> threads;
  threads.reserve(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i)
    threads.emplace_back([this, i, &step = steps[i]] {
      ::prctl(PR_SET_NAME, step.name.c_str());
      board_->tids[i].store(::gettid());
      while (!board_->told[i].load()) ::poll(nullptr, 0, 2);
      board_->begun[i].store(true);
      step.act();
      board_->done[i].store(true);
      for (;;) ::poll(nullptr, 0, 1000);
    });
  while (true) {
    bool all = true;
    for (std::size_t i = 0; i < steps.size(); ++i) all = all && board_->tids[i].load() != 0;
    if (all) board_->ready.store(true);
    ::poll(nullptr, 0, all ? 1000 : 2);
  }
}

bool LabProcess::start(const std::function<bool()>& prepare, std::vector<LabStep> steps) {
  pid_ = ::fork();
  if (pid_ == 0) run(prepare, steps);
  return pid_ > 0 && comes_true([this] { return board_->ready.load(); });
}

bool LabProcess::go(std::size_t step) {
  board_->told[step].store(true);
  if (!comes_true([this, step] { return board_->begun[step].load(); })) return false;
  ::poll(nullptr, 0, kUntilStuckMs);
  return true;
}

}  // namespace stallproof::testing
