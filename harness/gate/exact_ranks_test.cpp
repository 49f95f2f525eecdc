// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/exact_ranks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace stallproof {
namespace {

// All ways to deal the values to the two sides, one after the other.
double p_by_enumeration(const std::vector<double>& before, const std::vector<double>& after) {
  std::vector<double> all = before;
  all.insert(all.end(), after.begin(), after.end());
  // Twice U: a tie counts for one.
  const auto doubled_u = [&all](const std::vector<bool>& first) {
    int u = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < all.size(); ++j)
        if (first[i] && !first[j]) u += all[i] > all[j] ? 2 : all[i] == all[j] ? 1 : 0;
    return u;
  };
  std::vector<bool> side(all.size(), false);
  std::fill_n(side.begin(), before.size(), true);
  const int mean = static_cast<int>(before.size() * after.size());
  const int observed = std::abs(doubled_u(side) - mean);
  std::sort(side.begin(), side.end());
  int ways = 0, as_far = 0;
  do {
    ++ways;
    if (std::abs(doubled_u(side) - mean) >= observed) ++as_far;
  } while (std::next_permutation(side.begin(), side.end()));
  return static_cast<double>(as_far) / ways;
}

TEST(ExactRanks, ValuesKnownByHand) {
  EXPECT_DOUBLE_EQ(rank_test({1, 2, 3}, {4, 5, 6}).p, 2.0 / 20);
  EXPECT_DOUBLE_EQ(rank_test({1, 2, 3, 4}, {5, 6, 7, 8}).p, 2.0 / 70);
  EXPECT_DOUBLE_EQ(rank_test({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}).p, 2.0 / 252);
  // U = 2: of the 252 ways 1, 1 and 2 have U = 0, 1 and 2.
  EXPECT_DOUBLE_EQ(rank_test({1, 2, 3, 4, 7}, {5, 6, 8, 9, 10}).p, 8.0 / 252);
  EXPECT_DOUBLE_EQ(rank_test({5, 5, 5}, {5, 5, 5}).p, 1);
}

TEST(ExactRanks, LeastPIsThatOfSidesThatDoNotMix) {
  for (std::size_t before = 1; before < 7; ++before)
    for (std::size_t after = 1; after < 7; ++after) {
      std::vector<double> low, high;
      for (std::size_t i = 0; i < before; ++i) low.push_back(static_cast<double>(i));
      for (std::size_t i = 0; i < after; ++i) high.push_back(100 + static_cast<double>(i));
      EXPECT_NEAR(rank_test(low, high).p, least_p(before, after), 1e-12);
    }
}

TEST(ExactRanks, EqualsTheEnumerationOfAllWaysWithTies) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    std::vector<double> before(2 + random() % 4), after(2 + random() % 4);
    const unsigned kinds = round % 3 == 0 ? 3 : 1000;  // many ties, or hardly any
    for (double& value : before) value = static_cast<double>(random() % kinds);
    for (double& value : after) value = static_cast<double>(random() % kinds);
    EXPECT_NEAR(rank_test(before, after).p, p_by_enumeration(before, after), 1e-12);
  }
}

TEST(ExactRanks, SidesMayBeSwapped) {
  const std::vector<double> a{1, 2, 2, 5, 9}, b{2, 3, 8, 8, 12, 13};
  EXPECT_DOUBLE_EQ(rank_test(a, b).p, rank_test(b, a).p);
}

TEST(ExactRanks, LargeSidesAgreeWithTheNormalApproximation) {
  std::vector<double> before, after;
  for (int i = 0; i < 60; ++i) {
    before.push_back(i);
    after.push_back(i + 7.5);
  }
  double u = 0;
  for (const double a : after)
    for (const double b : before) u += a > b ? 1 : 0;
  const double z = (u - 1800 - 0.5) / std::sqrt(60.0 * 60 * 121 / 12);
  EXPECT_NEAR(rank_test(before, after).p, std::erfc(z / std::sqrt(2.0)), 0.002);
}

TEST(ExactRanks, RiseIsACommonFactorWhateverTheOutlier) {
  EXPECT_NEAR(rank_test({100, 101, 102, 103, 104}, {95, 95.95, 96.9, 97.85, 1}).rise, -0.0500,
              0.02);
  EXPECT_NEAR(rank_test({100, 200}, {90, 180}).rise, -0.1, 1e-12);
  EXPECT_EQ(rank_test({0, 200}, {90, 180}).rise, 0);
}

TEST(ExactRanks, MedianOfEvenAndOdd) {
  EXPECT_EQ(median_of({3}), 3);
  EXPECT_EQ(median_of({9, 1, 5}), 5);
  EXPECT_EQ(median_of({9, 1, 5, 7}), 6);
}

}  // namespace
}  // namespace stallproof
