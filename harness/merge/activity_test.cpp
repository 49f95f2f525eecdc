// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/activity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/merge/testing/made_fleet.h"

namespace stallproof {
namespace {

constexpr const char* kHeader =
    "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n";

Activity read(const std::string& text, const AxisPlace& place = {0, 240'000}) {
  const MadeFleet fleet;
  fleet.put("n1/series/loads.csv", text);
  return read_activity(fleet.path("n1"), place);
}

std::string row(double t_ms, const std::string& load, int ops) {
  return fmt::format("{},{},{},0,0,,,,0,0\n", t_ms, load, ops);
}

TEST(Activity, LoadsOfOneSecondAreAddedUp) {
  const Activity activity = read(kHeader + row(1000, "a", 10) + row(1000, "b", 5) +
                                 row(2000, "a", 1) + row(2000, "b", 0));
  EXPECT_EQ(activity.rows, 4U);
  EXPECT_FLOAT_EQ(activity.columns[1].low, 15);
  EXPECT_FLOAT_EQ(activity.columns[2].high, 1);
  EXPECT_TRUE(std::isnan(activity.columns[3].low));
  EXPECT_DOUBLE_EQ(activity.last_ms, 2000);
}

TEST(Activity, AColumnKeepsItsSlowestSecondSoThatNoStallIsSmoothedAway) {
  std::string text = kHeader;
  for (int second = 1; second <= 36'000; ++second)
    text += row(second * 1000.0, "a", second == 20'000 ? 0 : 100);
  const Activity activity = read(text, {0, 36'000e3});
  const auto& column = activity.columns[20'000 * kActivityColumns / 36'000];
  EXPECT_FLOAT_EQ(column.low, 0);
  EXPECT_FLOAT_EQ(column.high, 100);
}

TEST(Activity, ASlowSamplerDoesNotLookLikeSpeed) {
  const Activity activity = read(kHeader + row(1000, "a", 100) + row(5000, "a", 400));
  EXPECT_FLOAT_EQ(activity.columns[5].high, 100);
}

TEST(Activity, ANodeThatBeganLaterLiesFurtherRight) {
  const Activity activity = read(kHeader + row(1000, "a", 7), {100'000, 240'000});
  EXPECT_TRUE(std::isnan(activity.columns[1].high));
  EXPECT_FLOAT_EQ(activity.columns[101].high, 7);
}

TEST(Activity, WhatIsCutOrDamagedIsCountedAndTheRestKept) {
  const Activity activity =
      read(kHeader + row(1000, "a", 10) + "nonsense\n-5,a,1,\n3000,,1,0\n500,a,1,0\n1e300,a,1,0\n" +
           row(3000, "a", 4) + "4000,a,1");
  EXPECT_EQ(activity.rows, 2U);
  EXPECT_EQ(activity.bad_lines, 6U);
  EXPECT_FLOAT_EQ(activity.columns[3].low, 2);
  EXPECT_NE(activity.words().find("6 lines"), std::string::npos);
}

TEST(Activity, AnEndlessLineTakesNoMemoryAndEndsNothing) {
  const Activity activity =
      read(kHeader + std::string(std::size_t{1} << 20U, 'x') + "\n" + row(1000, "a", 3));
  EXPECT_EQ(activity.rows, 1U);
  EXPECT_EQ(activity.bad_lines, 1U);
}

TEST(Activity, AFileOfSomethingElseIsToldAndADeviceIsNotRead) {
  EXPECT_NE(read("seconds,operations\n1,2\n").words().find("its columns"), std::string::npos);
  const MadeFleet fleet;
  EXPECT_NE(read_activity(fleet.path("nobody"), {}).words().find("no series"), std::string::npos);
  fleet.put("n1/series/loads.csv/x", "");
  EXPECT_NE(read_activity(fleet.path("n1"), {}).words().find("not a regular file"),
            std::string::npos);
}

}  // namespace
}  // namespace stallproof
