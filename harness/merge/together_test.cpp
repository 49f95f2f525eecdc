// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/together.h"

#include <gtest/gtest.h>

#include <limits>

namespace stallproof {
namespace {

TEST(StallsTogether, FourNodesWithin300MsAreOneGroup) {
  const auto groups = stalls_together(
      {{3, 0, 10'300}, {0, 0, 10'000}, {1, 0, 10'050}, {2, 0, 10'200}, {0, 1, 60'000}}, 1000);
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups[0].size(), 4U);
  EXPECT_EQ(groups[0].front().node, 0U);
  EXPECT_EQ(groups[0].back().node, 3U);
}

TEST(StallsTogether, OneNodeAloneIsNoGroupHoweverOftenItStalls) {
  EXPECT_TRUE(stalls_together({{0, 0, 1000}, {0, 1, 1100}, {0, 2, 1200}}, 1000).empty());
}

TEST(StallsTogether, FurtherApartThanTheWindowIsNotTogether) {
  EXPECT_TRUE(stalls_together({{0, 0, 1000}, {1, 0, 2001}}, 1000).empty());
  EXPECT_EQ(stalls_together({{0, 0, 1000}, {1, 0, 2000}}, 1000).size(), 1U);
}

TEST(StallsTogether, AnEarlierStallOfTheSameNodeHidesNoGroup) {
  const auto groups = stalls_together({{0, 0, 0}, {0, 1, 900}, {1, 0, 1500}}, 1000);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].front().entry, 1U);
}

TEST(StallsTogether, AWindowIsCountedFromItsFirstStallSoThatNoChainRunsOn) {
  std::vector<StallBegin> stalls;
  for (std::size_t i = 0; i < 10; ++i) stalls.push_back({i % 2, i, 600.0 * static_cast<double>(i)});
  for (const auto& group : stalls_together(stalls, 1000))
    EXPECT_LE(group.back().onset_ms - group.front().onset_ms, 1000);
}

TEST(StallsTogether, ATimeThatIsNoneIsLeftOut) {
  EXPECT_TRUE(stalls_together({{0, 0, std::numeric_limits<double>::quiet_NaN()},
                               {1, 0, std::numeric_limits<double>::infinity()},
                               {2, 0, 5}},
                              1000)
                  .empty());
}

}  // namespace
}  // namespace stallproof
