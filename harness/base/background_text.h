// SPDX-License-Identifier: Apache-2.0
// What may not return, asked by a forked child while its parent goes on. What it says is kept in
// memory; at its deadline it is killed, and abandoned when it cannot die. Controller only, main
// thread (the child dies with it).
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "harness/base/bounded.h"
#include "harness/base/fd.h"

namespace stallproof {

class BackgroundText {
 public:
  // `work` writes to the descriptor it is given; its return value is an errno, 0 for success.
  static Result<BackgroundText> start(const std::function<int(int into)>& work, Deadline deadline);
  BackgroundText(BackgroundText&& other) noexcept;
  BackgroundText& operator=(BackgroundText&&) = delete;
  // One that is not over is killed.
  ~BackgroundText();

  // It has ended or was given up. Never blocks.
  bool over();
  // Until it is over, or until then.
  void wait(Deadline until);
  // As if its deadline had passed.
  void give_up();
  // What was said until it was over; `error` as for text_bounded(). Called once, when over.
  BoundedText take();

 private:
  BackgroundText(Fd memory, pid_t pid, Deadline deadline)
      : memory_(std::move(memory)), pid_(pid), deadline_(deadline) {}
  Fd memory_;
  pid_t pid_;
  Deadline deadline_;
  std::optional<int> error_;
};

}  // namespace stallproof
