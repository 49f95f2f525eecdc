// SPDX-License-Identifier: Apache-2.0
// Threads that are started while one of these lives never get a signal of the process: the main
// thread polls for them (SignalWatch), and one that another thread took would end the program.
#pragma once

#include <pthread.h>

#include <csignal>

namespace stallproof {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace stallproof
