// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/gate/exact_ranks.h"
#include "harness/gate/rate_bound.h"

namespace stallproof {
namespace {

constexpr double kAlpha = 0.05;

MetricChange measure(const MetricValues& values, const RunsNeeded& wanted) {
  MetricChange change{.values = values};
  change.median_before = median_of(values.before);
  change.median_after = median_of(values.after);
  const RankTest test = rank_test(values.before, values.after);
  change.rise = test.rise;
  change.p = test.p;
  change.variation = std::max(variation_of(values.before), variation_of(values.after));
  change.noisy = change.variation > kQuietVariation;
  change.runs_needed = runs_needed(change.variation, wanted);
  return change;
}

// Holm: of m sorted p-values the k-th, counted from 0, times m - k, and never below the one before.
void adjust(std::vector<MetricChange*>& noisy) {
  std::sort(noisy.begin(), noisy.end(),
            [](const MetricChange* a, const MetricChange* b) { return a->p < b->p; });
  double least = 0;
  for (std::size_t k = 0; k < noisy.size(); ++k) {
    const double times = static_cast<double>(noisy.size() - k);
    least = std::max(least, std::min(1.0, noisy[k]->p * times));
    noisy[k]->p = least;
  }
}

Change judge(const MetricChange& change, double min_effect) {
  const std::vector<double>& before = change.values.before;
  // A value of 0 has no quotient.
  if (!(*std::min_element(before.begin(), before.end()) > 0)) return Change::cannot_tell;
  if (std::min(before.size(), change.values.after.size()) < kLeastRunsCompared)
    return Change::cannot_tell;
  if (change.p >= kAlpha || std::abs(change.rise) <= min_effect) return Change::none;
  return (change.rise > 0) == change.values.more_is_better ? Change::better : Change::worse;
}

// Runs a side with which `shares` metrics can still be told apart at all.
std::size_t least_runs(std::size_t shares) {
  std::size_t runs = kLeastRunsCompared;
  while (least_p(runs, runs) * static_cast<double>(shares) >= kAlpha) ++runs;
  return runs;
}

std::string too_few_words(std::size_t before, std::size_t after, std::size_t noisy) {
  if (std::min(before, after) < kLeastRunsCompared)
    return fmt::format("too few runs to compare: {} and {} of the baseline, at least {} a side",
                       after, before, kLeastRunsCompared);
  if (noisy == 0 || least_p(before, after) * static_cast<double>(noisy) < kAlpha) return {};
  return fmt::format(
      "too few runs to compare: {} metrics vary by more than {:g} % from run to run "
      "and share the {:g} % of false alarms: {} runs a side",
      noisy, kQuietVariation * 100, kAlpha * 100, least_runs(noisy));
}

}  // namespace

std::size_t Comparison::blind_metrics() const {
  return static_cast<std::size_t>(
      std::count_if(metrics.begin(), metrics.end(), [](const MetricChange& metric) {
        const MetricValues& values = metric.values;
        return metric.change != Change::cannot_tell &&
               std::min(values.before.size(), values.after.size()) < metric.runs_needed;
      }));
}

double variation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (!(mean > 0)) return 0;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1)) / mean;
}

Comparison compare_metrics(const std::vector<MetricValues>& metrics, double min_effect) {
  Comparison comparison;
  comparison.slowdown = std::max(comparison.slowdown, min_effect + 0.02);
  const RunsNeeded wanted{.slowdown = comparison.slowdown, .min_effect = min_effect};
  std::vector<MetricChange*> noisy;
  for (const MetricValues& values : metrics) {
    if (values.before.empty() || values.after.empty()) continue;
    comparison.metrics.push_back(measure(values, wanted));
  }
  for (MetricChange& change : comparison.metrics)
    if (change.noisy) noisy.push_back(&change);
  adjust(noisy);
  for (MetricChange& change : comparison.metrics) {
    change.change = judge(change, min_effect);
    const std::string words =
        too_few_words(change.values.before.size(), change.values.after.size(), noisy.size());
    if (comparison.too_few.empty()) comparison.too_few = words;
  }
  return comparison;
}

}  // namespace stallproof
