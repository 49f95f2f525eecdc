// SPDX-License-Identifier: Apache-2.0
// What a running job has done since its start and in each interval, read from board and panel.
// Asks nothing of the worker: an interval in which it stood still has a row like any other.
#pragma once

#include <vector>

#include "harness/board/board.h"
#include "workloads/io/io_panel.h"

namespace stallproof {

// Totals since the start of the run; the maxima are those of the interval asked for.
struct IoSample {
  Nanos at_ns = 0;
  std::vector<IoTotals> streams;   // by stream of the job; outstanding_us of ended I/Os only
  std::vector<double> waiting_us;  // by file: of I/Os in flight, their age
  Nanos oldest_ns = 0;             // age of the oldest I/O in flight; 0: none is

  [[nodiscard]] IoTotals all() const;
};

class IoSampler {
 public:
  IoSampler(const IoJob& job, const Board& board, const IoPanel& panel)
      : job_(job), board_(board), panel_(panel) {}
  // `interval`: number whose longest responses are wanted.
  [[nodiscard]] IoSample sample(Nanos now, std::uint32_t interval) const;

 private:
  const IoJob& job_;
  const Board& board_;
  const IoPanel& panel_;
};

// What happened between two samples. Maxima are those of `later`.
IoTotals difference(const IoTotals& later, const IoTotals& earlier);

}  // namespace stallproof
