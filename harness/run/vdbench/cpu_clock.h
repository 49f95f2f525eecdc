// SPDX-License-Identifier: Apache-2.0
// How busy the machine's CPUs were between two looks at /proc/stat.
#pragma once

#include <cstdint>
#include <string_view>

#include "workloads/io/io_totals.h"

namespace stallproof {

// Jiffies of all CPUs, from the first line of /proc/stat.
struct CpuTimes {
  std::uint64_t user = 0, kernel = 0, wait = 0, idle = 0;
};
CpuTimes cpu_times_of(std::string_view proc_stat);

class CpuClock {
 public:
  CpuClock() { lap(); }
  // Shares since the last lap (or the start), which begins a new one.
  CpuShares lap();
  // The same without a new lap.
  [[nodiscard]] CpuShares since() const;

 private:
  CpuTimes last_;
};

}  // namespace stallproof
