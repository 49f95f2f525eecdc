// SPDX-License-Identifier: Apache-2.0
// The panel: shared memory in which the threads of a worker count what they did, for rows and
// totals, and say which I/Os failed. It is beside the board, which the watchdog reads. One cell for
// each pair of I/O in flight (slot) and stream; its slot's thread is its only writer. The
// controller creates the panel, reads it whenever it likes and needs no help from a worker, who
// may be stuck or dead. No pointers inside; CLOCK_MONOTONIC in ns.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "workloads/io/fault_ring.h"
#include "workloads/io/io_job.h"
#include "workloads/io/io_totals.h"
#include "workloads/io/key_map.h"

namespace stallproof {

inline constexpr std::uint64_t kPanelMagic = 0x6c656e61'706f6973ULL;

// Index into OpTotals::buckets.
inline std::size_t response_bucket(Nanos response) {
  const std::uint64_t us = response / 1000;
  if (us < 100) return static_cast<std::size_t>(us / 20);
  std::uint64_t unit = 100;
  std::size_t first = 5;  // 100…200, then 200…400, 400…600, 600…800, 800…1000 of each decade
  while (us >= 10 * unit && first < 25) {
    unit *= 10;
    first += 5;
  }
  const std::size_t index = first + static_cast<std::size_t>(us / unit / 2);
  return index < kResponseBuckets ? index : kResponseBuckets - 1;
}

// Counts of reads or of writes. Plain stores: one writer.
struct OpCounters {
  std::atomic<std::uint64_t> count, bytes, response_ns;
  std::atomic<double> response_us_squared;
  // The longest of an interval: its number in the upper 16 bits, ns in the lower 48 (78 hours).
  std::array<std::atomic<std::uint64_t>, 4> longest;
  std::array<std::atomic<std::uint64_t>, kResponseBuckets> buckets;

  void record(Nanos response, std::uint64_t size, std::uint32_t interval) {
    const auto add = [](std::atomic<std::uint64_t>& to, std::uint64_t n) {
      to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    };
    add(bytes, size);
    add(response_ns, response);
    const double us = static_cast<double>(response) * 1e-3;
    response_us_squared.store(response_us_squared.load(std::memory_order_relaxed) + us * us,
                              std::memory_order_relaxed);
    add(buckets[response_bucket(response)], 1);
    std::atomic<std::uint64_t>& word = longest[interval & 3U];
    const std::uint64_t stamped = (std::uint64_t{interval & 0xffffU} << 48U) | response;
    const std::uint64_t known = word.load(std::memory_order_relaxed);
    if (known >> 48U != stamped >> 48U || known < stamped)
      word.store(stamped, std::memory_order_relaxed);
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
};

// A copy, with the longest of that one interval.
OpTotals totals_of(const OpCounters& counters, std::uint32_t interval);

struct alignas(128) PanelCell {
  OpCounters read, write;
};

// A key block that a read found to be other than it should be.
struct BadBlock {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  // Each bad block of an I/O is a fault of its own: which one it is, from 0, and of how many.
  std::uint32_t place = 0, of_io = 0;
  std::uint8_t expected_key = 0;
  LastUse found_by = LastUse::none;  // what kind of read
  LastUseTime last_use;              // with success; none when no times are kept
  BlockReport report;
};
static_assert(std::is_trivially_copyable_v<BadBlock>);

inline constexpr std::int32_t kUntouchedBuffer = 797;  // a read that changed nothing
inline constexpr std::int32_t kShortTransfer = 798;
inline constexpr std::int32_t kCorruption = 60003;

// An I/O that failed.
struct FaultRecord {
  Nanos realtime_ns = 0;
  std::uint64_t offset = 0, size = 0;
  int error = 0;  // errno, or kUntouchedBuffer, kShortTransfer
  std::uint32_t stream = 0;
  bool write = false;
  std::uint32_t tid = 0;
  BadBlock block;  // of kCorruption
};

struct PanelHeader {
  std::uint64_t magic;
  std::uint32_t slot_count, stream_count;
  alignas(64) std::atomic<std::uint32_t> interval;  // the controller's; stamps `longest`
  alignas(64) std::atomic<std::uint32_t> ended_streams;
  // Key blocks of this run: found good, and given up (corrupted, or an I/O on them failed).
  alignas(64) std::atomic<std::uint64_t> validated_blocks;
  std::atomic<std::uint64_t> bad_blocks;
  FaultRing<FaultRecord> faults;
};

class IoPanel {
 public:
  IoPanel() = default;
  IoPanel(const IoPanel&) = delete;
  IoPanel& operator=(const IoPanel&) = delete;
  IoPanel(IoPanel&& other) noexcept;
  IoPanel& operator=(IoPanel&& other) noexcept;
  ~IoPanel();

  // Controller.
  static Result<IoPanel> create(std::uint32_t slots, std::uint32_t streams);
  // Worker, from the inherited descriptor.
  static Result<IoPanel> attach(int fd);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] PanelHeader& header() { return *header_; }
  [[nodiscard]] const PanelHeader& header() const { return *header_; }
  // `slot` counts from the first slot of the job, as in JobFile::first_slot.
  [[nodiscard]] PanelCell& cell(std::uint32_t slot, std::uint32_t stream) {
    return cells_[std::size_t{slot} * streams_ + stream];
  }
  [[nodiscard]] const PanelCell& cell(std::uint32_t slot, std::uint32_t stream) const {
    return cells_[std::size_t{slot} * streams_ + stream];
  }
  [[nodiscard]] std::uint32_t streams() const { return streams_; }

  // Any worker thread.
  void note_fault(const FaultRecord& fault) { header_->faults.note(fault); }
  // As FaultRing::since.
  [[nodiscard]] std::vector<FaultRecord> faults_since(std::uint64_t& next) const {
    return header_->faults.since(next);
  }
  // Everything counted so far of one stream over some slots; the longest of that one interval.
  [[nodiscard]] IoTotals totals(std::uint32_t stream, std::uint32_t first_slot, std::uint32_t slots,
                                std::uint32_t interval) const;

 private:
  Fd fd_;
  void* base_ = nullptr;
  std::size_t size_ = 0;
  PanelHeader* header_ = nullptr;
  PanelCell* cells_ = nullptr;
  std::uint32_t streams_ = 0;

  Result<> map(Fd fd, std::size_t size);
};

}  // namespace stallproof
