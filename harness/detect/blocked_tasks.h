// SPDX-License-Identifier: Apache-2.0
// Watched tasks in D that have stood where they are for at least stall-after: no switch from scan
// to scan, or next to none with the same stack. Supports a stall that progress shows; by itself it
// opens no incident for our own loads. The table that remembers when a task last moved is fed by
// task scans.
#pragma once

#include <array>
#include <cstdint>

#include "harness/detect/detector.h"
#include "harness/probe/quiet_functions.h"
#include "harness/probe/scan_record.h"

namespace stallproof {

// How a task waits that does not run. `asleep`: of a watched process, in S in the midst of a page
// fault, an exec or a wait for asynchronous I/O; only full scans show such.
enum class BlockedState : std::uint8_t { none, blocked, killable, asleep };
// In D, and not because it is frozen, stopped, traced, idle or the parent of a vfork.
bool is_blocked(const ScanTask& task, const QuietFunctions& quiet);
BlockedState blocked_state(const ScanTask& task, const QuietFunctions& quiet);
// The same stack, the same number.
std::uint64_t stack_hash(const ScanTask& task);

// Remembers (tid, context switches, stack) from scan to scan. Fixed memory, open addressing; tasks
// beyond its capacity are counted.
class BlockedTaskTable {
 public:
  void begin_scan(Nanos now_ns);
  // One task that waits. `switches` is voluntary plus involuntary context switches.
  void saw(std::uint32_t tid, std::uint64_t switches, std::uint64_t stack,
           BlockedState state = BlockedState::blocked);
  [[nodiscard]] BlockedView finish_scan(Nanos stall_after);
  [[nodiscard]] std::uint64_t overflow() const { return overflow_; }

  static constexpr std::size_t kCapacity = 16384;  // power of two

 private:
  struct Entry {
    std::uint32_t tid = 0;
    std::uint32_t scan = 0;  // scan number that saw it last
    BlockedState state = BlockedState::none;
    std::uint64_t switches = 0;
    std::uint64_t stack = 0;
    Nanos since_ns = 0;
  };
  [[nodiscard]] bool stands(const Entry& entry, std::uint64_t switches, std::uint64_t stack) const;
  std::array<Entry, kCapacity> entries_{};
  std::uint32_t scan_ = 0;
  Nanos now_ns_ = 0;
  std::uint64_t overflow_ = 0;
};

class BlockedTasks final : public Detector {
 public:
  void check(const SystemView& view, FindingList& out) override;
};

}  // namespace stallproof
