// SPDX-License-Identifier: Apache-2.0
// SystemView: what one tick saw, as fixed-size data. Every detector of a tick judges the same view
// and reads neither clock nor file itself. No allocation: it lives in the watchdog's loop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/base/clock.h"
#include "harness/board/board.h"
#include "harness/board/evidence.h"

namespace stallproof {

// One load, summed over its slots.
struct LoadView {
  std::uint64_t ops = 0;
  std::uint32_t in_flight = 0;
  Nanos oldest_op_started_ns = 0;  // 0 when nothing is in flight
  std::uint32_t oldest_op_tid = 0;
  Nanos last_done_ns = 0;  // 0 when nothing completed yet
};

// What the last scan of the kernel's tasks found, and how old it is.
struct BlockedView {
  Nanos scanned_ns = 0;        // 0 when there was no scan yet
  std::uint32_t blocked = 0;   // watched tasks in D that have not run for at least stall-after
  std::uint32_t killable = 0;  // of those, that a signal would still end
  std::uint32_t asleep = 0;    // beside those: in S in the midst of a call that waits for I/O
  std::uint32_t first_tid = 0;
  Nanos longest_ns = 0;  // for how long the longest of them has not run
};

// Threads of the loads and of what serves them that mostly waited for a CPU, by the last full scan.
struct QueuedView {
  Nanos scanned_ns = 0;  // 0 when there was no scan yet
  std::uint32_t waiting = 0;
};

// A C string of fixed size: what a finding is about.
using Subject = std::array<char, kSubjectBytes>;

// A report of the kernel: a line of its log, or a task that its hung-task detector found.
struct KernelReport {
  Nanos at_ns = 0;  // when we saw it; 0: none yet
  std::uint32_t count = 0;
  std::uint32_t tid = 0;   // of a hung task, 0 when not known
  std::uint32_t load = 0;  // index, when `of_load`
  bool of_load = false;    // the task belongs to that load, which is not ours
  Subject subject{};
};

struct SystemView {
  Nanos now_ns = 0;
  // The watchdog itself was not run between the last tick and this one: nothing seen now may be
  // called a stall, the loads may not have been run either.
  bool after_gap = false;
  std::size_t load_count = 0;
  std::array<LoadView, kMaxLoads> loads;
  BlockedView blocked;
  QueuedView queued;
  SystemRow system;                     // the newest; at_ns 0: none
  const EvidenceArea* names = nullptr;  // of its disks and connections
  KernelReport hung_task;               // the newest report of each kind
  KernelReport kernel_log;
};

// Sums the board into view.loads. Lock-free; a slot whose writer is in mid-update gives the value
// before or after.
void read_board(const Board& board, SystemView& view);
// The same behind the loads that are there already; what has no room is left out.
void add_board(const Board& board, SystemView& view);

}  // namespace stallproof
