// SPDX-License-Identifier: Apache-2.0
// series/loads.csv and series/latency.csv: what each load did in each second. Our own loads are
// read from the board; of load that is not ours only what the watchdog counts is known. A late
// sample makes its row longer, never shorter. Controller only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "harness/board/evidence.h"
#include "harness/run/series/latency_growth.h"
#include "harness/store/series_writer.h"

namespace stallproof {

class LoadRows {
 public:
  // `board`: null for load that is not ours. All outlive this.
  LoadRows(RunDir& run, const Board* board, const EvidenceArea& area);

  // Seconds count from here; times are told relative to `started`.
  void begin(Nanos started, Nanos now, const std::vector<std::string>& names);
  // Every loop. Costs: one look over the threads' counters a second, and of 512 histograms (4 MiB)
  // at most every 90 ms; on a board of more threads latencies come in every second or third row.
  void serve(Nanos now, const std::vector<std::string>& names);
  void close();

  static constexpr std::size_t kThreadsPerTurn = 512;

 private:
  struct Totals {
    std::string name;  // of load that is not ours, an entry may change hands
    std::uint64_t ops = 0, bytes = 0, errors = 0;
    std::uint32_t in_flight = 0;
    Nanos oldest_ns = 0;  // when it began; 0: none is in flight
  };
  void look_at_latencies(Nanos now);
  bool read(Nanos now, const std::vector<std::string>& names);
  void read_board(Nanos now);
  void write_rows(Nanos now);
  void write_latencies(std::size_t load, const std::string& name);

  const Board* board_;
  const EvidenceArea& area_;
  SeriesFile loads_, classes_;
  std::unique_ptr<LatencyGrowth> growth_;  // null for load that is not ours
  bool fresh_ = false;                     // growth_ has a look that no row has told yet
  std::array<Totals, kMaxLoads> now_{}, before_{};
  std::size_t count_ = 0;
  Nanos started_ns_ = 0;
  Nanos next_ns_ = ~Nanos{0};
  Nanos next_turn_ns_ = 0;
  std::string text_, class_text_, stamp_;
};

}  // namespace stallproof
