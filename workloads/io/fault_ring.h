// SPDX-License-Identifier: Apache-2.0
// The latest faults of a worker, in memory that it shares with the controller. Any thread notes
// one, the controller reads; neither waits for the other. In memory of zeros it is empty.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace stallproof {

inline constexpr std::size_t kErrorRing = 4096;

template <class Record>
class FaultRing {
 public:
  static_assert(std::is_trivially_copyable_v<Record>);

  void note(const Record& record) {
    const std::uint64_t number = ever_.fetch_add(1, std::memory_order_relaxed);
    Cell& into = cells_[number % kErrorRing];
    into.number.store(0, std::memory_order_release);
    into.record = record;
    into.number.store(number + 1, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t ever() const { return ever_.load(std::memory_order_relaxed); }

  // Those from `next` on; sets `next`. What was written over meanwhile is left out.
  [[nodiscard]] std::vector<Record> since(std::uint64_t& next) const {
    std::vector<Record> found;
    const std::uint64_t last = ever();
    if (last > next + kErrorRing) next = last - kErrorRing;
    for (; next < last; ++next) {
      const Cell& from = cells_[next % kErrorRing];
      const std::uint64_t number = from.number.load(std::memory_order_acquire);
      if (number < next + 1) break;  // not written to the end yet
      if (number == next + 1) found.push_back(from.record);
    }
    return found;
  }

 private:
  struct Cell {
    std::atomic<std::uint64_t> number;  // 0 while it is written, else its place plus one
    Record record;
  };
  alignas(64) std::atomic<std::uint64_t> ever_;
  std::array<Cell, kErrorRing> cells_;
};

}  // namespace stallproof
