// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/pace.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stallproof {
namespace {

Result<Pace> pace_of(const std::vector<std::string>& words, Gap measured = {}) {
  return Pace::of(*Settings::from_words(words), measured);
}

TEST(Pace, WithoutRateAndBurstsIsAsMeasured) {
  EXPECT_TRUE(pace_of({})->unlimited());
  auto pace = pace_of({"mprotect-rate=0"}, {100, 100});
  Prng prng(1);
  EXPECT_EQ(pace->next(1000, prng), 1000U);
  EXPECT_EQ(pace->next(1001, prng), 1100U);
}

TEST(Pace, ShortDelaysAreMadeUpFor) {
  auto pace = pace_of({"mprotect-rate=1000"});
  Prng prng(1);
  Nanos due = pace->next(kSecond, prng);
  for (int call = 0; call < 1000; ++call) due = pace->next(due + kMillisecond * 3, prng);
  EXPECT_EQ(due, 2 * kSecond);
}

TEST(Pace, AStallGivesNoBurst) {
  auto pace = pace_of({"mprotect-rate=1000"});
  Prng prng(1);
  pace->next(kSecond, prng);
  EXPECT_EQ(pace->next(9 * kSecond, prng), 9 * kSecond);
  EXPECT_EQ(pace->next(9 * kSecond, prng), 9 * kSecond + kMillisecond);
}

TEST(Pace, GapsAreDrawnFromBothEnds) {
  Pace pace(Gap{10, 20});
  Prng prng(7);
  Nanos before = pace.next(1000, prng);
  bool shortest = false;
  bool longest = false;
  for (int call = 0; call < 1000; ++call) {
    const Nanos due = pace.next(before, prng);
    ASSERT_GE(due - before, 10U);
    ASSERT_LE(due - before, 20U);
    shortest |= due - before == 10;
    longest |= due - before == 20;
    before = due;
  }
  EXPECT_TRUE(shortest && longest);
}

TEST(Pace, BurstsComeTogetherAndApart) {
  auto pace = pace_of({"burst-calls=3", "burst-every=100ms"});
  Prng prng(1);
  std::vector<Nanos> due;
  for (int call = 0; call < 7; ++call) due.push_back(pace->next(kSecond, prng));
  const Nanos second = kSecond + 100 * kMillisecond;
  const Nanos third = kSecond + 200 * kMillisecond;
  EXPECT_EQ(due, (std::vector<Nanos>{kSecond, kSecond, kSecond, second, second, second, third}));
}

TEST(Pace, UnitsOfSeveralCallsKeepTheRateOfCalls) {
  auto pace = Pace::of(*Settings::from_words({"mprotect-rate=100"}), {}, 2);
  Prng prng(1);
  const Nanos first = pace->next(kSecond, prng);
  EXPECT_EQ(pace->next(first, prng) - first, 20 * kMillisecond);
}

TEST(Pace, WhatMakesNoScheduleIsRefusedByName) {
  for (const char* word : {"mprotect-rate=fast", "mprotect-rate=2000000000", "burst-calls=some",
                           "burst-every=0s", "burst-every=often"}) {
    const std::string text(word);
    const auto pace = pace_of({text});
    ASSERT_FALSE(pace) << text;
    EXPECT_NE(pace.error().what.find(text.substr(0, text.find('='))), std::string::npos)
        << pace.error().what;
  }
  EXPECT_FALSE(pace_of({"mprotect-rate=5", "burst-calls=5"}));
}

}  // namespace
}  // namespace stallproof
