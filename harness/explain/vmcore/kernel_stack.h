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
};

struct UnwoundStack {
  std::vector<UnwoundFrame> frames;  // innermost first
  std::string problem;               // why the frames end before the stack does; else empty
};

// Pure apart from `orc`. Ends after 256 frames, and whenever the stack pointer does not move on.
UnwoundStack unwind_sleeping(const StackCopy& stack, const OrcTables& orc);

}  // namespace stallproof
