// SPDX-License-Identifier: Apache-2.0
// One start of the user's command with one notice on its stdin, in a process group of its own.
// Never blocks; at its deadline the group is killed. Used by the process that delivers, which has
// no thread and no other child.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class NoticeDelivery {
 public:
  struct Order {
    const std::vector<std::string>& command;  // the first word is the path of a program
    const std::string& directory;             // where it runs; "/" where that is gone
    std::string text;
  };
  static Result<NoticeDelivery> start(const Order& order, Deadline deadline);

  // What to poll for; when `wakes` is false afterwards, also look again every few milliseconds.
  void add_to(std::vector<pollfd>& items) const;
  [[nodiscard]] bool wakes() const { return pidfd_.valid(); }
  [[nodiscard]] Deadline deadline() const { return deadline_; }
  // Hands over input, keeps the last line it says, notices its end; true when it is over.
  bool step();
  // As if its deadline had passed.
  void give_up();
  // Empty: it ended with 0. Once it is over.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  explicit NoticeDelivery(Deadline deadline) : deadline_(deadline) {}
  void write_input();
  void read_output();
  [[nodiscard]] std::string last_line() const;

  Deadline deadline_;
  std::string text_, said_, failure_;
  Fd input_, output_, pidfd_;
  pid_t pid_ = -1;
  bool over_ = false;
};

}  // namespace stallproof
