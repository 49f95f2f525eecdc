// SPDX-License-Identifier: Apache-2.0
// How long the operations took that completed between two looks at the board, by load. A look sums
// the histograms of all threads (8.5 KiB each), some threads at a time, so that a board of many
// thousand takes several turns of the controller and never much of one. Memory is allocated once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "harness/board/board.h"

namespace stallproof {

class LatencyGrowth {
 public:
  explicit LatencyGrowth(const Board& board);

  // Reads the histograms of at most so many threads; true when a look is complete, and what it
  // found can be asked for until the next one is.
  bool advance(std::size_t threads);

  struct Quantiles {
    double p50_us = 0, p99_us = 0, max_us = 0;  // middles of buckets, within 1/32
  };
  // Of the operations between the last two complete looks; false when there was none.
  [[nodiscard]] bool quantiles(std::size_t load, Quantiles& into) const;
  // Classes that are not empty, four to each power of two; `from`: lower edge.
  void each_class(std::size_t load,
                  const std::function<void(Nanos from, std::uint64_t count)>& visit) const;

  static constexpr std::size_t kPerClass = (1U << Histogram::kSubBits) / 4;

 private:
  using Counts = std::array<std::uint64_t, Histogram::kBuckets>;
  void end_look();

  const Board& board_;
  std::vector<Counts> running_, before_, growth_;  // by load
  std::size_t next_slot_ = 0;
  std::size_t load_ = 0;  // that next_slot_ belongs to, or a later one
};

}  // namespace stallproof
