// SPDX-License-Identifier: Apache-2.0
// The stack of a task that does not run: a copy of it, and its frames by ORC.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "harness/explain/vmcore/orc.h"

namespace stallproof {

// The used part of one kernel stack.
struct StackCopy {
  std::uint64_t begin = 0;  // the stack pointer the task went to sleep with
  std::vector<std::uint64_t> words;

  [[nodiscard]] std::optional<std::uint64_t> word(std::uint64_t address) const {
    const std::uint64_t at = (address - begin) / 8;
    if (address < begin || address % 8 != 0 || at >= words.size()) return std::nullopt;
    return words[at];
  }
};

struct UnwoundFrame {
  std::uint64_t address = 0;        // where the function goes on
  std::uint64_t stack_address = 0;  // where that was kept
  bool interrupted = false;         // it goes on with the instruction itself, not behind a call

  // Inside the function: a call may be its last instruction.
  [[nodiscard]] std::uint64_t code() const { return interrupted ? address : address - 1; }
};

struct UnwoundStack {
  std::vector<UnwoundFrame> frames;  // innermost first
  std::string problem;               // why the frames end before the stack does; else empty
};

// Pure apart from `orc`. Ends after 256 frames, and whenever the stack pointer does not move on.
// `first_run`: where a new task begins (ret_from_fork), 0 when unknown.
UnwoundStack unwind_sleeping(const StackCopy& stack, const OrcTables& orc,
                             std::uint64_t first_run = 0);

// Of a task that ran in the kernel when it died; `stack` begins at its stack pointer.
UnwoundStack unwind_running(const StackCopy& stack, const OrcTables& orc,
                            const CpuRegisters& registers);

}  // namespace stallproof
