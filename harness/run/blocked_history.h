// SPDX-License-Identifier: Apache-2.0
// Which tasks of the machine were blocked, and where, over the last minute: one entry for each scan
// in which that had changed. Controller only; bounded memory.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/probe/kernel_symbols.h"

namespace stallproof {

class BlockedHistory {
 public:
  // One raw scan (scan_record.h), in the order they were taken.
  void take(Nanos taken_ns, std::span<const std::byte> scan);
  // What was so in the minute before `until`, oldest first, times counted from there. `symbols` may
  // know nothing: then stacks are addresses.
  [[nodiscard]] std::string text(const KernelSymbols& symbols, Nanos until) const;
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }

  static constexpr Nanos kSpan = 60 * kSecond;
  static constexpr std::size_t kMaxTasks = 128;  // of one entry; more are counted

 private:
  struct Task {
    std::int32_t tid = 0;
    std::int32_t tgid = 0;
    std::uint64_t stack = 0;  // hash
    std::string comm;
    std::vector<std::uint64_t> frames;  // innermost first
    bool operator==(const Task& other) const { return tid == other.tid && stack == other.stack; }
  };
  struct Entry {
    Nanos at_ns = 0;
    std::size_t more = 0;  // tasks that did not fit
    std::vector<Task> tasks;
  };
  std::deque<Entry> entries_;
};

}  // namespace stallproof
