// SPDX-License-Identifier: Apache-2.0
// Calls that may never return (umount, sysfs writes, reads below a dead mount), made in a child
// that is killed and abandoned at the deadline. Forks: controller only, never the watchdog's loop.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/result.h"

namespace stallproof {

// The child that all below are made by: it dies with its parent and has no descriptor open above 2
// but `kept_fd`; it exits with what `work` returns. -1 and errno when there is none.
pid_t fork_bounded(const std::function<int()>& work, int kept_fd = -1);

// Runs `work` in a forked child. Its return value (an errno, 0 for success) comes back; ETIMEDOUT
// when the deadline passed, ECHILD when the child died otherwise. `work` finds no descriptor above
// 2 open: an abandoned child must not keep what its parent has locked or one end of somebody's
// pipe.
int run_bounded(const std::function<int()>& work, Deadline deadline);

// What `work` writes to the descriptor it is given, in a child; `error` is its return value or as
// for run_bounded. What came before a deadline is kept.
struct BoundedText {
  std::string text;
  int error = 0;
};
BoundedText text_bounded(const std::function<int(int into)>& work, Deadline deadline);

// A whole file, read by a child.
Result<std::string> read_file_bounded(const std::string& path, Deadline deadline);

}  // namespace stallproof
