// SPDX-License-Identifier: Apache-2.0
// One look at the whole machine: pressure, disks, hung tasks, FUSE connections. Plain fixed-size
// data: rows of the last minute lie in the evidence (evidence.h), written by the watchdog.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace stallproof {

inline constexpr std::size_t kSystemDisks = 32;
inline constexpr std::size_t kSystemFuse = 16;
inline constexpr std::size_t kSystemRows = 640;  // 60 s at 100 ms and some

// /proc/pressure/*. Shares in hundredths of a percent, totals in microseconds since boot.
struct PressureRow {
  std::uint64_t some_us = 0;
  std::uint64_t full_us = 0;
  std::uint32_t some_avg10 = 0;
  std::uint32_t full_avg10 = 0;
};
enum SystemPressure : std::size_t { kPressureIo, kPressureMemory, kPressureCpu, kPressures };

// Of /proc/diskstats: reads, writes, discards and flushes that ended; requests now in flight.
struct DiskRow {
  std::uint64_t completed = 0;
  std::uint64_t in_flight = 0;
};

struct SystemRow {
  std::uint64_t at_ns = 0;         // CLOCK_MONOTONIC; 0: there is none
  std::uint64_t kmsg_written = 0;  // bytes of kernel log in the evidence at that moment
  std::uint64_t hung_tasks = 0;    // hung_task_detect_count; 0 where the kernel has none
  std::array<PressureRow, kPressures> pressure{};
  std::array<DiskRow, kSystemDisks> disks{};
  std::array<std::uint32_t, kSystemFuse> fuse_waiting{};
};

}  // namespace stallproof
