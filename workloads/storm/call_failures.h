// SPDX-License-Identifier: Apache-2.0
// Failed calls of a load: each is counted by who makes it, the first of each kind is told.
#pragma once

#include <array>
#include <atomic>

#include "harness/board/board.h"

namespace stallproof {

// Without the heap: there may be no memory left.
using CallFailureLine = std::array<char, 256>;
// What is told of a call that failed; one line, without its end, ended by a zero byte.
CallFailureLine call_failure_line(Op op, int error);

// Any thread of the load. Writes to stderr, once for each errno and thread-or-memory call.
class CallFailures {
 public:
  void tell(Op op, int error);

 private:
  enum Kind { kMapCount, kThreadLimit, kOther, kKinds };
  static Kind kind_of(Op op, int error);
  std::atomic<bool> told_[kKinds] = {};
};

}  // namespace stallproof
