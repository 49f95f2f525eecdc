// SPDX-License-Identifier: Apache-2.0
#include "workloads/victim/short_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace stallproof {
namespace {

constexpr int kNotRun = 127;

// In the child, on the parent's memory and stack: system calls only.
[[noreturn]] void live_short(const ShortChild& child, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotRun);
  ::prctl(PR_SET_NAME, child.name);
  if (child.sleep != 0) {
    const timespec span{static_cast<time_t>(child.sleep / kSecond),
                        static_cast<long>(child.sleep % kSecond)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
  }
  if (child.argv == nullptr) ::_exit(0);
  ::execve("/proc/self/exe", child.argv, ::environ);
  ::_exit(kNotRun);
}

}  // namespace

pid_t start_short_child(const ShortChild& child) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::vfork();
  if (pid == 0) live_short(child, parent);
  return pid;
}

std::optional<int> wait_for_end(pid_t pid) {
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED) != 0)
    if (errno != EINTR) return std::nullopt;
  if (ended.si_code != CLD_EXITED) return std::nullopt;
  return ended.si_status;
}

}  // namespace stallproof
