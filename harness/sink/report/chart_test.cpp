// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/chart.h"

#include <gtest/gtest.h>

#include "harness/sink/report/csv_rows.h"

namespace stallproof {
namespace {

float rate(const LoadPoint& point) { return point.per_second; }

std::vector<LoadPoint> steady(int seconds, float value) {
  std::vector<LoadPoint> points;
  for (int i = 1; i <= seconds; ++i)
    points.push_back({.t_s = static_cast<float>(i), .per_second = value});
  return points;
}

TEST(Trace, OneSecondWithoutThroughputIsSeenInTenHours) {
  std::vector<LoadPoint> points = steady(36000, 100);
  points[17000].per_second = 0;
  const TimeAxis axis{.end_s = 36000};
  const auto columns = columns_of(points, rate, axis);
  EXPECT_LE(columns.size(), 721U);
  int empty = 0;
  for (const TraceColumn& column : columns) empty += column.low == 0 && column.high == 100 ? 1 : 0;
  EXPECT_EQ(empty, 1);
}

TEST(Trace, AFlatLineIsAFewBytes) {
  const std::string path =
      trace_path(steady(36000, 100), rate, {.end_s = 36000}, linear_scale(100), 90);
  EXPECT_EQ(path.substr(0, 4), "M0 1");
  EXPECT_LT(path.size(), 3000U);
  EXPECT_EQ(path.find('v'), std::string::npos);
}

TEST(Trace, AHoleInTheSeriesIsNotBridged) {
  std::vector<LoadPoint> points = steady(100, 5);
  for (int i = 200; i < 300; ++i) points.push_back({.t_s = static_cast<float>(i), .per_second = 5});
  const std::string path = trace_path(points, rate, {.end_s = 300}, linear_scale(5), 90);
  EXPECT_NE(path.find('M', 1), std::string::npos) << path;
}

TEST(Trace, WhatIsNotMeasuredIsNotDrawn) {
  const std::vector<LoadPoint> points = steady(10, static_cast<float>(kNoNumber));
  EXPECT_TRUE(trace_path(points, rate, {.end_s = 10}, linear_scale(1), 90).empty());
}

TEST(ValueScales, RoundUpAndHoldAll) {
  EXPECT_DOUBLE_EQ(linear_scale(571000).high, 600000);
  EXPECT_DOUBLE_EQ(linear_scale(0).high, 1);
  EXPECT_DOUBLE_EQ(linear_scale(9.9).high, 10);
  const ValueScale log = log_scale(12.5, 4300);
  EXPECT_DOUBLE_EQ(log.low, 10);
  EXPECT_DOUBLE_EQ(log.high, 10000);
  EXPECT_NEAR(log.share(1000), 2.0 / 3, 1e-9);
  EXPECT_DOUBLE_EQ(log.share(0), 0);
  EXPECT_GT(log_scale(0, 0).high, 1);
}

TEST(TimeAxes, LabelsAreTheNodesClock) {
  TimeAxis axis{.end_s = 36000, .day_s = seconds_of_day("2026-11-26T22:10:00.500+01:00")};
  EXPECT_DOUBLE_EQ(*axis.day_s, 22 * 3600 + 600.5);
  const auto ticks = axis.ticks();
  ASSERT_GE(ticks.size(), 4U);
  EXPECT_LE(ticks.size(), 8U);
  EXPECT_EQ(ticks[0].text, "00:00");
  EXPECT_EQ(axis.moment(7200), "00:10:00 (+2:00:00 h)");
  EXPECT_FALSE(seconds_of_day("yesterday").has_value());
  EXPECT_FALSE(seconds_of_day("2026-11-26T2x:10:00").has_value());
  axis.day_s.reset();
  EXPECT_EQ(axis.moment(12.3), "+12.3 s");
}

TEST(Charts, ABandIsInItsPlaceAndKeepsItsText) {
  const std::string svg =
      draw_chart({.title = "t", .scale = linear_scale(5), .lines = {{"r", "rate", "#123", rate}}},
                 steady(100, 5), {.end_s = 100}, {{25, 50, "stall", "<b> & \"x\"", ""}});
  EXPECT_NE(svg.find("x=\"180.0\" width=\"180.0\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("<title>&lt;b&gt; &amp; &quot;x&quot;</title>"), std::string::npos) << svg;
}

TEST(HeatGrids, ClassesAndColumnsHoldWhatWasAdded) {
  HeatGrid grid(180);
  EXPECT_TRUE(grid.empty());
  grid.add(0.9, 100, 5);
  grid.add(179.5, 100, 7);
  grid.add(179.5, 1e12, 1);
  grid.add(500, 1, 2);  // after the end: the last column
  grid.add(-1, 1, 2);
  EXPECT_DOUBLE_EQ(grid.largest(), 7);
  int found = 0;
  for (int each = grid.first_class(); each <= grid.last_class(); ++each)
    if (grid.count(0, each) == 5) {
      ++found;
      EXPECT_LE(HeatGrid::edge_us(each), 100);
      EXPECT_GT(HeatGrid::edge_us(each + 1), 100);
    }
  EXPECT_EQ(found, 1);
  EXPECT_DOUBLE_EQ(grid.count(179, HeatGrid::kLowest + 12), 2);
  EXPECT_NE(draw_heat(grid, "heat").find("<path"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
