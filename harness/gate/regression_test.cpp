// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/regression.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace stallproof {
namespace {

std::vector<double> around(double middle, double spread, std::size_t count, std::mt19937& random) {
  std::normal_distribution<double> usual(middle, spread);
  std::vector<double> values(count);
  for (double& value : values) value = usual(random);
  return values;
}

MetricValues throughput(std::vector<double> before, std::vector<double> after) {
  return {"direct", "throughput", true, std::move(before), std::move(after)};
}

const std::vector<double> kSteady{1000, 1001, 1002, 1003, 1004};

std::vector<double> scaled(const std::vector<double>& values, double factor) {
  std::vector<double> all = values;
  for (double& value : all) value *= factor;
  return all;
}

Change change_of(const MetricValues& values, double min_effect = 0.03) {
  return compare_metrics({values}, min_effect).metrics.at(0).change;
}

TEST(Regression, FivePercentSlowerIsWorse) {
  EXPECT_EQ(change_of(throughput(kSteady, scaled(kSteady, 0.95))), Change::worse);
  EXPECT_EQ(change_of(throughput(kSteady, scaled(kSteady, 1.05))), Change::better);
  EXPECT_EQ(change_of(throughput(kSteady, kSteady)), Change::none);
}

TEST(Regression, ALongerTailIsWorse) {
  MetricValues p99{"direct", "p99", false, kSteady, scaled(kSteady, 1.05)};
  EXPECT_EQ(change_of(p99), Change::worse);
}

TEST(Regression, WhatIsSmallIsNotTold) {
  EXPECT_EQ(change_of(throughput(kSteady, scaled(kSteady, 0.98))), Change::none);
  EXPECT_EQ(change_of(throughput(kSteady, scaled(kSteady, 0.98)), 0.01), Change::worse);
}

TEST(Regression, FewerThanFiveRunsASideNeverPass) {
  const std::vector<double> four{1000, 1001, 1002, 1003};
  for (const auto& [before, after] : {std::pair{four, kSteady}, std::pair{kSteady, four}}) {
    const Comparison comparison = compare_metrics({throughput(before, after)}, 0.03);
    EXPECT_NE(comparison.too_few.find("at least 5 a side"), std::string::npos);
    EXPECT_EQ(comparison.metrics[0].change, Change::cannot_tell);
  }
  EXPECT_EQ(compare_metrics({throughput(kSteady, kSteady)}, 0.03).too_few, "");
}

// With seven noisy metrics no result of five runs a side could be told from chance.
TEST(Regression, ManyNoisyMetricsNeedMoreRuns) {
  std::mt19937 random(3);
  const std::vector<MetricValues> noisy(
      7, throughput(around(1000, 100, 5, random), around(1000, 100, 5, random)));
  EXPECT_NE(compare_metrics(noisy, 0.03).too_few.find("6 runs a side"), std::string::npos);
  const std::vector<MetricValues> six(noisy.begin(), noisy.end() - 1);
  EXPECT_EQ(compare_metrics(six, 0.03).too_few, "");
}

TEST(Regression, NoisyMetricsSayHowManyRunsTheyNeed) {
  std::mt19937 random(3);
  const auto comparison =
      compare_metrics({throughput(around(1000, 60, 5, random), around(1000, 60, 5, random))}, 0.03);
  EXPECT_TRUE(comparison.metrics[0].noisy);
  EXPECT_GT(comparison.metrics[0].runs_needed, 10U);
  EXPECT_EQ(comparison.blind_metrics(), 1U);
  EXPECT_FALSE(compare_metrics({throughput(kSteady, kSteady)}, 0.03).metrics[0].noisy);
}

TEST(Regression, AMetricOfZeroCannotBeCompared) {
  EXPECT_EQ(change_of(throughput({0, 1, 1, 1, 1}, kSteady)), Change::cannot_tell);
}

TEST(Regression, VariationIsTheStandardDeviationByTheMean) {
  EXPECT_DOUBLE_EQ(variation_of({9, 11}), std::sqrt(2.0) / 10);
  EXPECT_EQ(variation_of({7}), 0);
  EXPECT_EQ(variation_of({0, 0}), 0);
}

// Runs of one build, dealt to two sides by chance, as whole gates of three loads with a rate and a
// tail each, steady and wild.
TEST(Regression, FalseAlarmsOfAWholeGateAreRare) {
  std::mt19937 random(17);
  constexpr double kVariation[] = {0.004, 0.02, 0.012, 0.15, 0.03, 0.4};
  constexpr int kRounds = 600;
  int alarms = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<MetricValues> metrics;
    for (const double variation : kVariation)
      metrics.push_back(throughput(around(1000, 1000 * variation, 5, random),
                                   around(1000, 1000 * variation, 5, random)));
    for (MetricValues& metric : metrics)
      for (auto* side : {&metric.before, &metric.after})
        for (double& value : *side) value = std::max(value, 1.0);
    const Comparison comparison = compare_metrics(metrics, 0.03);
    alarms += std::any_of(comparison.metrics.begin(), comparison.metrics.end(),
                          [](const MetricChange& each) { return each.change == Change::worse; });
  }
  EXPECT_LE(alarms, kRounds * 0.055);
}

}  // namespace
}  // namespace stallproof
