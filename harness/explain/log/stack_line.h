// SPDX-License-Identifier: Apache-2.0
// Lines of a stack trace, of every architecture whose logs are met: x86, arm, arm64, ppc64, mips,
// riscv, s390. Pure and total.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/probe/lock_snapshot.h"

namespace stallproof {

struct StackLine {
  StackFrame frame;
  bool guessed = false;    // "? f+0x1/0x2", "(unreliable)": found on the stack, perhaps stale
  bool pointer = false;    // "f+0x0/0x2", "f+0x2/0x2": an address that no call returns to
  bool addressed = false;  // "[<ffffffff81609729>] f+0x1/0x2"
  std::string callee;      // of arm, which writes "(callee) from [<…>] (caller+0x1/0x2)"
};

std::optional<StackLine> stack_line(std::string_view line);

// The function that a CPU was running: "RIP: 0010:f+0x1/0x2", "pc : f+0x1/0x2", "NIP […] f+0x…",
// "--- interrupt: 900 at f+0x1/0x2".
// Absent when it ran in user mode or the line is another.
std::optional<std::string> running_function(std::string_view line);

// A line that may stand inside one dump of a stack, or an empty one.
bool belongs_to_stack(std::string_view line);

bool is_call_trace(std::string_view line);  // "Call Trace:"

// "CPU: 2 PID: 77 Comm: java Not tainted 6.1.0 #1": whose stack follows.
struct RunningTask {
  std::string comm;
  std::int32_t pid = 0;
};
std::optional<RunningTask> running_task(std::string_view line);

}  // namespace stallproof
