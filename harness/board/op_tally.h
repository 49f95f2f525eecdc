// SPDX-License-Identifier: Apache-2.0
// What a thread has done, by kind of operation, as figures tell it: counts, bytes, and durations in
// few classes. Part of the thread's slot, which it alone writes: plain loads and stores, no lock;
// readable while it writes and after it died.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "harness/board/error_kind.h"
#include "harness/board/histogram.h"
#include "harness/board/op.h"

namespace stallproof {

// Upper edges of the classes of durations; what is longer is in the last class.
inline constexpr std::array<Nanos, 17> kDurationEdges{
    50'000,          100'000,          250'000,        1'000'000,      2'500'000,
    10'000'000,      25'000'000,       100'000'000,    250'000'000,    1'000'000'000,
    2'500'000'000,   5'000'000'000,    10'000'000'000, 30'000'000'000, 60'000'000'000,
    120'000'000'000, 3'600'000'000'000};
inline constexpr std::size_t kDurationClasses = kDurationEdges.size() + 1;

// Class of each bucket of a Histogram. A bucket that an edge cuts counts below it when its middle
// does.
inline constexpr std::array<std::uint8_t, Histogram::kBuckets> kClassOfBucket = [] {
  std::array<std::uint8_t, Histogram::kBuckets> classes{};
  std::uint8_t into = 0;
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    const Nanos low = Histogram::low_edge(bucket);
    const Nanos high = bucket + 1 < Histogram::kBuckets ? Histogram::low_edge(bucket + 1) : low;
    while (into < kDurationEdges.size() && low + (high - low) / 2 > kDurationEdges[into]) ++into;
    classes[bucket] = into;
  }
  return classes;
}();

struct OpTally {
  std::atomic<std::uint64_t> ops;
  std::atomic<std::uint64_t> bytes;
  std::atomic<std::uint64_t> total_ns;
  std::array<std::atomic<std::uint64_t>, kDurationClasses> classes;
};

struct ThreadTally {
  std::array<OpTally, kOpKinds> kinds;
  std::array<std::atomic<std::uint64_t>, kErrorKinds> errors;

  [[nodiscard]] OpTally& of(OpKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const OpTally& of(OpKind kind) const {
    return kinds[static_cast<std::size_t>(kind)];
  }
};

// A counter that one thread writes: no read-modify-write.
inline void grow(std::atomic<std::uint64_t>& counter, std::uint64_t by,
                 std::memory_order order = std::memory_order_relaxed) {
  counter.store(counter.load(std::memory_order_relaxed) + by, order);
}

}  // namespace stallproof
