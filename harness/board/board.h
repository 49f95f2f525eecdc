// SPDX-License-Identifier: Apache-2.0
// The board: one sealed shared memory area in which every worker thread says what it is doing.
//
// A stalled operation never completes, so no histogram shows it; what shows it is the age of the
// oldest operation in flight. Each thread therefore owns one slot and is its only writer; readers
// take no lock and need no help from the writer, who may be stuck or dead.
//
// Processes: created by the controller, mapped writable by workers and by ffs, read-only by the
// watchdog. All *_ns fields are CLOCK_MONOTONIC. Layout is fixed by kBoardAbi; no pointers.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/board/histogram.h"
#include "harness/board/injector_panel.h"
#include "harness/board/op_tally.h"
#include "harness/board/service_panel.h"

namespace stallproof {

inline constexpr std::uint64_t kBoardMagic = 0x64726162'6c617473ULL;
inline constexpr std::uint32_t kBoardAbi = 3;
inline constexpr std::size_t kMaxLoads = 32;
inline constexpr std::size_t kMaxSlots = 65536;

// Phase word: written by the controller only; workers wait for run and leave on stop.
enum class Phase : std::uint32_t { prepare, run, stop };

struct alignas(128) BoardSlot {
  std::atomic<std::uint64_t> ops;
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> errors;      // failed calls
  std::atomic<std::uint64_t> mismatches;  // data that was not what the offset says
  std::atomic<std::uint64_t> sigbus;      // faults the file system answered with an error
  // 0 = idle; in the future: an op that is due then, and late if it has not ended some time after.
  std::atomic<std::uint64_t> op_started_ns;
  std::atomic<std::uint64_t> last_done_ns;  // 0 = nothing completed yet
  std::atomic<std::uint32_t> op_code;       // Op
  std::atomic<std::uint32_t> tid;           // 0 until the thread runs
  std::atomic<std::uint64_t> op_offset;     // file offset or address the op is about
  std::atomic<std::uint32_t> left;          // 1 once the thread has returned: no longer in flight
  std::atomic<std::uint32_t> reserved;
  alignas(128) ThreadTally tally;
  alignas(128) Histogram latency;

  // By the slot's thread, of `times` operations that have ended: how long each took.
  void note_durations(OpKind kind, Nanos each, std::uint64_t bytes_of_all,
                      std::uint64_t times = 1) {
    const std::size_t bucket = Histogram::index_of(each);
    latency.record_at(bucket, times);
    OpTally& of_kind = tally.of(kind);
    grow(of_kind.classes[kClassOfBucket[bucket]], times);
    grow(of_kind.total_ns, each * times);
    if (bytes_of_all == 0) return;
    grow(bytes, bytes_of_all);
    grow(of_kind.bytes, bytes_of_all);
  }
  // One operation more has ended; `at`: now. The last thing that is said of it.
  void note_end(OpKind kind, Nanos at) {
    last_done_ns.store(at, std::memory_order_relaxed);
    grow(tally.of(kind).ops, 1);
    grow(ops, 1, std::memory_order_release);
    op_started_ns.store(0, std::memory_order_release);
  }
  // `times` operations failed for this reason.
  void note_failure(ErrorKind why, std::uint64_t times = 1) {
    grow(errors, times);
    grow(tally.errors[static_cast<std::size_t>(why)], times);
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// A load: `slot_count` slots from `first_slot` on. Written by the controller before children start.
struct LoadEntry {
  char name[32];
  std::uint32_t first_slot;
  std::uint32_t slot_count;
};

struct BoardHeader {
  std::uint64_t magic;
  std::uint32_t abi;
  std::uint32_t slot_count;
  std::uint32_t load_count;
  std::uint32_t reserved;
  std::uint64_t seed;
  std::uint64_t started_ns;
  alignas(64) std::atomic<std::uint32_t> phase;  // Phase; also a futex word
  alignas(64) std::array<LoadEntry, kMaxLoads> loads;
  ServicePanel service;
  InjectorPanel injector;
};

// One mapping of a board. Unmapped on destruction; the memory lives while any process maps it.
class Board {
 public:
  Board() = default;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  Board(Board&& other) noexcept;
  Board& operator=(Board&& other) noexcept;
  ~Board();

  struct LoadSpec {
    std::string_view name;
    std::uint32_t threads;
  };
  // Controller: memfd (an unlinked /dev/shm file before 3.17), sized, sealed, zeroed.
  static Result<Board> create(std::span<const LoadSpec> loads, std::uint64_t seed);
  // Any other process, from the inherited descriptor; refuses a wrong magic, ABI or size.
  static Result<Board> attach(int fd, bool writable);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] BoardHeader& header() { return *header_; }
  [[nodiscard]] const BoardHeader& header() const { return *header_; }
  [[nodiscard]] std::span<BoardSlot> slots() { return {slots_, slot_count_}; }
  [[nodiscard]] std::span<const BoardSlot> slots() const { return {slots_, slot_count_}; }
  [[nodiscard]] std::span<const LoadEntry> loads() const { return {loads_.data(), load_count_}; }
  [[nodiscard]] std::span<BoardSlot> slots_of(const LoadEntry& load) {
    return slots().subspan(load.first_slot, load.slot_count);
  }
  [[nodiscard]] std::span<const BoardSlot> slots_of(const LoadEntry& load) const {
    return slots().subspan(load.first_slot, load.slot_count);
  }
  [[nodiscard]] const LoadEntry* find_load(std::string_view name) const;

  // Controller: as it was when it was made, for other workers. Nobody may write to it any more.
  void clear();
  // Controller: sets the phase and wakes every waiter (shared futex).
  void set_phase(Phase phase);
  [[nodiscard]] Phase phase() const {
    return static_cast<Phase>(header_->phase.load(std::memory_order_acquire));
  }
  // Workers: blocks until the phase is no longer `current` or the deadline passes.
  void wait_phase_change(Phase current, Deadline deadline) const;

 private:
  Result<> copy_shape();

  Fd fd_;
  void* base_ = nullptr;
  std::size_t size_ = 0;
  BoardHeader* header_ = nullptr;
  BoardSlot* slots_ = nullptr;
  // As it was at attach, and checked: a worker that goes wild may overwrite the header, and then
  // nobody else must read behind the mapping.
  std::uint32_t slot_count_ = 0;
  std::uint32_t load_count_ = 0;
  std::array<LoadEntry, kMaxLoads> loads_{};
};

// Around one operation, by the slot's owning thread: publishes the start, then records the end.
class OpScope {
 public:
  OpScope(BoardSlot& slot, Op op, std::uint64_t offset)
      : slot_(slot), started_(monotonic_now()), kind_(kind_of(static_cast<std::uint32_t>(op))) {
    slot_.op_code.store(static_cast<std::uint32_t>(op), std::memory_order_relaxed);
    slot_.op_offset.store(offset, std::memory_order_relaxed);
    slot_.op_started_ns.store(started_, std::memory_order_release);
  }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;
  // An op that failed is a completion too: it moved, it did not stall.
  ~OpScope() {
    const Nanos now = monotonic_now();
    slot_.note_durations(kind_, now - started_, bytes_);
    if (error_) slot_.note_failure(*error_);
    slot_.note_end(kind_, now);
  }
  void done(std::uint64_t bytes) { bytes_ = bytes; }
  // Right after the call that failed, or with its error.
  void failed(int error = errno) { error_ = kind_of_error(error); }
  void failed(ErrorKind why) { error_ = why; }

 private:
  BoardSlot& slot_;
  Nanos started_;
  OpKind kind_;
  std::uint64_t bytes_ = 0;
  std::optional<ErrorKind> error_;
};

}  // namespace stallproof
