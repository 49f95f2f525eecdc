// SPDX-License-Identifier: Apache-2.0
#include "harness/run/smallest.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

bool never() { return false; }

TEST(Smallest, EachNumberGoesAsFarDownAsItStillHappens) {
  const auto happens = [](const Numbers& n) { return n.at("faults") >= 3 && n.at("writers") >= 1; };
  const Smallest found = find_smallest({{"faults", 16}, {"writers", 8}}, happens, never, 1);
  EXPECT_EQ(found.numbers, (Numbers{{"faults", 3}, {"writers", 1}}));
  EXPECT_TRUE(found.complete);
}

TEST(Smallest, NumbersThatDependOnEachOtherAreLoweredTogether) {
  const auto happens = [](const Numbers& n) { return n.at("direct") >= 2 * n.at("service"); };
  const Smallest found = find_smallest({{"direct", 8}, {"service", 4}}, happens, never, 1);
  EXPECT_EQ(found.numbers, (Numbers{{"direct", 2}, {"service", 1}}));
}

TEST(Smallest, WhatIsNotNeededAtAllIsLeftOutWhereThatIsAllowed) {
  const auto happens = [](const Numbers& n) { return n.at("faults") >= 2; };
  const Numbers begin{{"faults", 4}, {"readers", 8}, {"writers", 2}};
  const Smallest found = find_smallest(begin, happens, never, 1, {"readers"});
  EXPECT_EQ(found.numbers, (Numbers{{"faults", 2}, {"readers", 0}, {"writers", 1}}));
  EXPECT_TRUE(found.complete);
}

TEST(Smallest, WhatIsReportedWasSeen) {
  Numbers last_seen;
  const auto happens = [&](const Numbers& n) {
    const bool seen = n.at("a") % 2 == 0;
    if (seen) last_seen = n;
    return seen;
  };
  EXPECT_EQ(find_smallest({{"a", 64}}, happens, never, 1).numbers, last_seen);
}

TEST(Smallest, AStallThatIsMissedOnceIsAskedForAgain) {
  unsigned asked = 0;
  const auto happens = [&](const Numbers&) { return ++asked % 2 == 0; };
  const Smallest found = find_smallest({{"a", 8}}, happens, never, 2);
  EXPECT_EQ(found.numbers, (Numbers{{"a", 1}}));
}

TEST(Smallest, TheDeadlineEndsItWithTheBestSoFar) {
  unsigned left = 2;
  const auto happens = [&](const Numbers&) { return left-- > 0; };
  const Smallest found = find_smallest(
      {{"a", 64}}, happens, [&] { return left == 0; }, 1);
  EXPECT_EQ(found.numbers, (Numbers{{"a", 16}}));
  EXPECT_FALSE(found.complete);
}

TEST(Smallest, WhatHappensWithNoSmallerNumberStaysAsItIs) {
  const auto happens = [](const Numbers&) { return false; };
  const Smallest found = find_smallest({{"a", 5}}, happens, never, 1);
  EXPECT_EQ(found.numbers, (Numbers{{"a", 5}}));
  EXPECT_TRUE(found.complete);
}

}  // namespace
}  // namespace stallproof
