// SPDX-License-Identifier: Apache-2.0
// Lens: what the crash utility printed, as a LockSnapshot. Reads `bt`, `foreach bt` and
// `list rwsem_waiter.list -s rwsem_waiter.task,type -h ADDRESS`, in any order, as one text or
// several put together, with any prompt, indentation and line ends. Pure and total: any bytes are
// accepted, what cannot be understood is a problem with its line, and the rest is used.
// `list -h` begins at an entry, that is at a waiter on some task's stack, not at the lock: the
// lock's address is not in such a text and stays unknown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct TextProblem {
  std::size_t line = 0;  // from 1
  std::string what;
};

struct CrashText {
  LockSnapshot snapshot;
  std::vector<TextProblem> problems;
  bool complete = false;  // something was read and all of it was understood
};

CrashText parse_crash_text(std::string_view text);

// What to type into crash so that its output can be explained here.
std::string_view crash_script();

}  // namespace stallproof
