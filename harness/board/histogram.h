// SPDX-License-Identifier: Apache-2.0
// Log-linear latency histogram that lives in shared memory: plain memory, one writer, no locks.
// 32 sub-buckets per power of two of a 32 ns unit: relative error at most 1/32 (3.1 %) of the value
// from 1 us to 1 h and above; shorter values share 32 ns buckets. A copy taken while the writer
// runs may miss its last few records, never tear one.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "harness/base/clock.h"

namespace stallproof {

class Histogram {
 public:
  static constexpr unsigned kUnitShift = 5;  // 32 ns
  static constexpr unsigned kSubBits = 5;
  static constexpr unsigned kOctaves = 33;  // 2^(33 + 5 + 4) ns is more than one hour
  static constexpr std::size_t kBuckets = (kOctaves + 1) << kSubBits;

  void record(Nanos value, std::uint64_t times = 1) { record_at(index_of(value), times); }
  // `bucket`: of index_of().
  void record_at(std::size_t bucket, std::uint64_t times) {
    std::atomic<std::uint64_t>& count = counts_[bucket];
    count.store(count.load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t count_at(std::size_t bucket) const {
    return counts_[bucket].load(std::memory_order_relaxed);
  }

  static constexpr std::size_t index_of(Nanos value) {
    const std::uint64_t units = value >> kUnitShift;
    if (units < (1U << kSubBits)) return static_cast<std::size_t>(units);
    const unsigned exponent = static_cast<unsigned>(std::bit_width(units)) - 1 - kSubBits;
    const std::size_t index = (static_cast<std::size_t>(exponent) << kSubBits) +
                              static_cast<std::size_t>(units >> exponent);
    return index < kBuckets ? index : kBuckets - 1;
  }
  // Lower and upper edge of a bucket, [low, high).
  static constexpr Nanos low_edge(std::size_t bucket) {
    if (bucket < (1U << kSubBits)) return static_cast<Nanos>(bucket) << kUnitShift;
    const std::size_t exponent = (bucket >> kSubBits) - 1;
    const std::uint64_t units = (bucket & ((1U << kSubBits) - 1)) + (1U << kSubBits);
    return (units << exponent) << kUnitShift;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
};

// Sum of several histograms, for reports. Not shared.
class HistogramSum {
 public:
  void add(const Histogram& histogram) {
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) counts_[i] += histogram.count_at(i);
  }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts_) sum += count;
    return sum;
  }
  // Middle of the bucket that holds the given quantile (0..1); 0 when empty.
  [[nodiscard]] Nanos quantile(double fraction) const {
    const std::uint64_t all = total();
    if (all == 0) return 0;
    auto rank = static_cast<std::uint64_t>(fraction * static_cast<double>(all));
    if (rank >= all) rank = all - 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
      seen += counts_[i];
      if (seen > rank) return middle(i);
    }
    return middle(Histogram::kBuckets - 1);
  }

 private:
  static Nanos middle(std::size_t bucket) {
    const Nanos low = Histogram::low_edge(bucket);
    return bucket + 1 < Histogram::kBuckets ? low + (Histogram::low_edge(bucket + 1) - low) / 2
                                            : low;
  }
  std::array<std::uint64_t, Histogram::kBuckets> counts_{};
};

}  // namespace stallproof
