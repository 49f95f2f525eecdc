// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/interactive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/sink/report/csv_rows.h"

namespace stallproof {
namespace {

float rate(const LoadPoint& point) { return point.per_second; }

std::vector<LoadPoint> seconds(int count, double offset) {
  std::vector<LoadPoint> points;
  for (int i = 1; i <= count; ++i)
    points.push_back({.t_s = static_cast<float>(i + offset * i), .per_second = 100});
  return points;
}

TEST(PackedValues, AreSixteenBitLogarithms) {
  // 0, no value, 1 (10 * 900 + 1 = 0x2329), too large for anything.
  EXPECT_EQ(packed_values({0, static_cast<float>(kNoNumber), 1}), "AAD//ykj");
  EXPECT_EQ(packed_values({}), "");
  EXPECT_EQ(packed_values({1}), "KSM=");
  EXPECT_EQ(packed_values({1, 0}), "KSMAAA==");
}

TEST(GridValues, KeepEachSecondOfAShortRun) {
  const GridValues grid = grid_values(seconds(100, 0), rate, 100, 1000);
  EXPECT_DOUBLE_EQ(grid.width_s, 1);
  EXPECT_TRUE(std::isnan(grid.values[0]));
  EXPECT_FLOAT_EQ(grid.values[50], 100);
}

TEST(GridValues, ADriftingSamplerLeavesNoHole) {
  const GridValues grid = grid_values(seconds(3000, 0.002), rate, 3006, 10000);
  const auto none = std::count_if(grid.values.begin() + 1, grid.values.begin() + 3000,
                                  [](float value) { return std::isnan(value); });
  EXPECT_EQ(none, 0);
}

TEST(GridValues, KeepTheSmallestAndLargestOfALongRun) {
  std::vector<LoadPoint> points = seconds(36000, 0);
  points[20000].per_second = 0;
  points[20001].per_second = 900;
  const GridValues grid = grid_values(points, rate, 36000, 2000);
  EXPECT_LE(grid.values.size(), 2002U);
  const auto low = std::find(grid.values.begin(), grid.values.end(), 0.0F);
  ASSERT_NE(low, grid.values.end());
  EXPECT_FLOAT_EQ(*(low + 1), 900);
  EXPECT_NEAR(static_cast<double>(low - grid.values.begin()) * grid.width_s, 20000, 40);
}

}  // namespace
}  // namespace stallproof
