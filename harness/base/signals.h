// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM, SIGHUP and SIGQUIT as something to poll: blocked before anything is changed on
// the machine, so that no signal can end the controller between a change and its undoing.
#pragma once

#include <csignal>
#include <optional>

#include "harness/base/fd.h"

namespace stallproof {

class SignalWatch {
 public:
  // Blocks them for the calling thread and all it starts; children spawned by Child unblock them.
  SignalWatch();
  [[nodiscard]] int fd() const { return fd_.get(); }
  struct Came {
    int number = 0;
    bool from_terminal = false;  // a key: it went to the whole foreground process group
  };
  // The next one that came, never blocks.
  [[nodiscard]] std::optional<Came> next() const;

 private:
  Fd fd_;
};

}  // namespace stallproof
