// SPDX-License-Identifier: Apache-2.0
// What a workload did in some span of time, as its rows and files tell it. Plain values: sums of
// two of them are sums of their fields, but for the maxima.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace stallproof {

// vdbench's response-time buckets: the upper edge of each but the last, exclusive, microseconds.
inline constexpr std::array<std::uint64_t, 26> kResponseEdgesUs = {
    20,     40,      60,      80,      100,     200,     400,       600,      800,
    1'000,  2'000,   4'000,   6'000,   8'000,   10'000,  20'000,    40'000,   60'000,
    80'000, 100'000, 200'000, 400'000, 600'000, 800'000, 1'000'000, 2'000'000};
inline constexpr std::size_t kResponseBuckets = kResponseEdgesUs.size() + 1;

// Operations of one kind. Response times count from the system call, in microseconds.
struct OpTotals {
  std::uint64_t count = 0, bytes = 0;
  double response_us = 0;          // sum
  double response_us_squared = 0;  // sum of squares
  double max_us = 0;               // longest
  std::array<std::uint64_t, kResponseBuckets> buckets{};

  OpTotals& operator+=(const OpTotals& other) {
    count += other.count;
    bytes += other.bytes;
    response_us += other.response_us;
    response_us_squared += other.response_us_squared;
    max_us = std::max(max_us, other.max_us);
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    return *this;
  }
};

struct IoTotals {
  OpTotals read, write;
  double outstanding_us = 0;  // integral of the number in flight, those that never ended included

  IoTotals& operator+=(const IoTotals& other) {
    read += other.read;
    write += other.write;
    outstanding_us += other.outstanding_us;
    return *this;
  }
};

// Shares of all CPUs of the machine, in percent.
struct CpuShares {
  double user = 0, kernel = 0, wait = 0, idle = 0;
};

}  // namespace stallproof
