// SPDX-License-Identifier: Apache-2.0
// Who waits for an mmap_lock, and for how long at least, from one task scan after the other.
// Watchdog's loop: fixed memory, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/base/clock.h"
#include "harness/probe/scan_record.h"

namespace stallproof {

class LockQueue {
 public:
  struct Count {
    std::uint32_t readers = 0;
    std::uint32_t writers = 0;
    Nanos oldest_since_ns = 0;  // 0: nobody waits
  };
  // A waiter is as old as the first scan that found it in this queue, if it has not run since.
  Count count(std::span<const std::byte> scan, Nanos taken_ns);

 private:
  struct Waiter {
    std::uint64_t task = 0;
    std::uint64_t lock = 0;
    std::uint64_t switches = 0;
    Nanos since_ns = 0;
  };
  static constexpr std::size_t kWaiters = 1024;
  struct Waiters {
    std::array<Waiter, kWaiters> all{};
    std::size_t count = 0;
    // Sorted by task.
    [[nodiscard]] std::span<Waiter> used() { return {all.data(), count}; }
    Waiter* find(std::uint64_t task);
  };
  static void collect(std::span<const std::byte> scan, Nanos taken_ns, Waiters& now, Count& count);

  std::array<Waiters, 2> waiters_;  // of this scan and of the one before
  std::size_t newest_ = 0;
};

}  // namespace stallproof
