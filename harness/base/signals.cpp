// SPDX-License-Identifier: Apache-2.0
#include "harness/base/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace stallproof {

SignalWatch::SignalWatch() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction inherited {};
    ::sigaction(number, nullptr, &inherited);
    // Ignored by whoever started us (nohup): stays ignored.
    if (inherited.sa_handler != SIG_IGN) ::sigaddset(&set, number);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<SignalWatch::Came> SignalWatch::next() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return std::nullopt;
  return Came{.number = static_cast<int>(info.ssi_signo),
              .from_terminal = info.ssi_code == SI_KERNEL};
}

}  // namespace stallproof
