// SPDX-License-Identifier: Apache-2.0
// What the runs of one build (or one run) come to together: to be compared and followed over time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/store/history.h"
#include "harness/store/history_filter.h"

namespace stallproof {

// Medians over runs; absent where no run has the figure.
struct LoadMedians {
  std::int64_t runs = 0;
  std::optional<double> ops_per_s, bytes_per_s, p50_us, p99_us, max_us;
};

struct BuildFigures {
  std::string build;
  Instant first;  // the start of its first run
  std::int64_t runs = 0, passed = 0, failed = 0, unknown = 0, unended = 0;
  std::int64_t on_purpose = 0;  // runs of repro: in none of the other figures
  // Of runs that passed or failed.
  double node_hours = 0;
  std::int64_t stalls = 0, failing = 0, dropouts = 0;
  double dropout_s = 0;
  std::map<std::string, std::int64_t> by_signature;
  std::map<std::string, LoadMedians> loads;
};

// One for each build, in the order of their first runs.
Result<std::vector<BuildFigures>> figures_by_build(History& history, const HistoryFilter& filter);
// All runs of the filter together.
Result<BuildFigures> figures_together(History& history, const HistoryFilter& filter);

}  // namespace stallproof
