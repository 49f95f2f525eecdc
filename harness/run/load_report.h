// SPDX-License-Identifier: Apache-2.0
// What the board says of our own load: totals of a load for the verdict, and operations in flight.
#pragma once

#include <vector>

#include "harness/board/board.h"
#include "harness/store/verdict.h"

namespace stallproof {

// Sums of the load's threads, latencies where there was any operation.
WorkloadEntry load_totals(const Board& board, const LoadEntry& load);

// An operation in flight, by its slot on the board.
struct OpenIo {
  std::size_t slot = 0;
  Op op = Op::none;
  std::uint64_t offset = 0;
  Nanos age_ns = 0;
  std::uint32_t tid = 0;
};
// Oldest first; what is due later is not among them, nor what a thread that has left had begun.
std::vector<OpenIo> open_ios(const Board& board, Nanos now);

}  // namespace stallproof
