// SPDX-License-Identifier: Apache-2.0
// Whether runs of one build were slower than runs of another. The unit is the run: one value of
// each metric per run, never its seconds, which depend on each other. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace stallproof {

inline constexpr std::size_t kLeastRunsCompared = 5;
// Runs that vary more than this from run to run hide a slow-down of 5 % from 5 runs a side.
inline constexpr double kQuietVariation = 0.015;

struct MetricValues {
  std::string load;
  std::string metric;  // "throughput" (operations per second) or "p99" (microseconds)
  bool more_is_better = true;
  std::vector<double> before, after;  // one value per run
};

enum class Change { none, worse, better, cannot_tell };

struct MetricChange {
  MetricValues values;
  double median_before = 0;
  double median_after = 0;
  double rise = 0;       // the usual factor from before to after, less one
  double p = 1;          // two-sided, exact; of several noisy metrics adjusted as by Holm
  double variation = 0;  // run-to-run standard deviation by mean, the larger one of the sides
  bool noisy = false;    // variation above kQuietVariation
  std::size_t runs_needed = kLeastRunsCompared;  // a side, to find Comparison::slowdown
  Change change = Change::none;
};

struct Comparison {
  std::vector<MetricChange> metrics;
  double slowdown = 0.05;  // what runs_needed is told for, to be found in 95 % of all cases
  // Too few runs to find anything: never a pass. Empty when there are enough.
  std::string too_few;

  // Those that were compared, and would need more runs than there are to show `slowdown`.
  [[nodiscard]] std::size_t blind_metrics() const;
};

// A metric changed when its exact p is below 0.05 and it rose or fell by more than `min_effect`.
// Quiet metrics are each held to 0.05, as chance does not move them by `min_effect`; the noisy ones
// share it. Each side has at most kMostRanked values.
Comparison compare_metrics(const std::vector<MetricValues>& metrics, double min_effect);

// Standard deviation by mean; 0 of fewer than two values or a mean of 0.
double variation_of(const std::vector<double>& values);

}  // namespace stallproof
