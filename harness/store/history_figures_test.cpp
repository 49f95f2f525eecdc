// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_figures.h"

#include "harness/store/history_fixture.h"

namespace stallproof {
namespace {

using HistoryFiguresTest = HistoryFixture;

TEST_F(HistoryFiguresTest, BuildsComeInTheOrderOfTheirFirstRuns) {
  save("a", {.build = "9", .started = "2026-06-01T10:00:00Z"});
  save("b", {.build = "10", .started = "2026-06-02T10:00:00Z"});
  save("c", {.build = "9", .started = "2026-06-03T10:00:00Z"});
  const auto builds = figures_by_build(*picked_up(), {});
  ASSERT_TRUE(builds);
  ASSERT_EQ(builds->size(), 2U);
  EXPECT_EQ((*builds)[0].build, "9");
  EXPECT_EQ((*builds)[0].runs, 2);
  EXPECT_EQ((*builds)[1].build, "10");
}

TEST_F(HistoryFiguresTest, MediansAreOverRuns) {
  for (const auto& [name, ops] : {std::pair{"a", 3600U}, {"b", 7200U}, {"c", 360'000U}})
    save(name, {.build = "1", .ops = ops});
  const auto figures = figures_together(*picked_up(), {});
  ASSERT_TRUE(figures);
  const LoadMedians& reader = figures->loads.at("reader");
  EXPECT_EQ(reader.runs, 3);
  EXPECT_DOUBLE_EQ(*reader.ops_per_s, 2.0);
  EXPECT_FALSE(reader.p50_us);
}

TEST_F(HistoryFiguresTest, WhatAnUnknownRunDidNotSeeIsNotCountedAsQuietHours) {
  save("a", {.build = "1"});
  save("b", {.build = "1", .outcome = Outcome::unknown});
  save("c", {.build = "1", .signature = "c:x"});
  save("r", {.build = "1", .signature = "c:x", .scenario = "mmap"});
  const auto figures = figures_together(*picked_up(), {});
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->runs, 3);
  EXPECT_EQ(figures->unknown, 1);
  EXPECT_EQ(figures->on_purpose, 1);
  EXPECT_DOUBLE_EQ(figures->node_hours, 2.0);
  EXPECT_EQ(figures->stalls, 1);
  EXPECT_EQ(figures->by_signature.at("c:x"), 1);
}

TEST_F(HistoryFiguresTest, ARunOfReproThatIsAskedForByNameIsCounted) {
  save("r", {.signature = "c:x", .scenario = "mmap"});
  HistoryFilter one;
  one.run = "r";
  const auto figures = figures_together(*picked_up(), one);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->on_purpose, 0);
  EXPECT_EQ(figures->by_signature.at("c:x"), 1);
}

}  // namespace
}  // namespace stallproof
