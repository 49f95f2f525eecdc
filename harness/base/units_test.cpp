// SPDX-License-Identifier: Apache-2.0
#include "harness/base/units.h"

#include <gtest/gtest.h>

#include "harness/base/saturated.h"

namespace stallproof {
namespace {

TEST(Saturated, WhatDoesNotFitBecomesTheNearest) {
  EXPECT_EQ(saturated<int>(-2.9), -2);
  EXPECT_EQ(saturated<int>(1e300), std::numeric_limits<int>::max());
  EXPECT_EQ(saturated<int>(-1e300), std::numeric_limits<int>::min());
  EXPECT_EQ(saturated<unsigned>(-1), 0U);
  EXPECT_EQ(saturated<std::int64_t>(9.3e18), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(saturated<int>(std::nan("")), 0);
}

TEST(Units, BareNumberIsSeconds) { EXPECT_EQ(*parse_duration("2"), 2 * kSecond); }

TEST(Units, EveryDurationSuffixIsUnderstood) {
  EXPECT_EQ(*parse_duration("500ms"), 500 * kMillisecond);
  EXPECT_EQ(*parse_duration("30s"), 30 * kSecond);
  EXPECT_EQ(*parse_duration("1.5s"), 1500 * kMillisecond);
  EXPECT_EQ(*parse_duration("10m"), 600 * kSecond);
  EXPECT_EQ(*parse_duration("8h"), 8 * 3600 * kSecond);
}

TEST(Units, NonsenseIsRefusedWithTheWordInIt) {
  for (const char* word : {"", "s", "-1s", "5 s", "1x", "nan", "inf", "1e300h", "0x10"}) {
    const auto parsed = parse_duration(word);
    ASSERT_FALSE(parsed) << word;
    EXPECT_NE(parsed.error().what.find(word), std::string::npos);
  }
}

TEST(Units, ADurationsWordIsReadBackAsItWas) {
  EXPECT_EQ(duration_word(90 * kSecond), "90s");
  for (const Nanos span : {Nanos{0}, Nanos{7}, 1500 * kMillisecond, kSecond, 600 * kSecond})
    EXPECT_EQ(*parse_duration(duration_word(span)), span);
}

TEST(Units, SizesTakeBinarySuffixes) {
  EXPECT_EQ(*parse_size("64KiB"), 65536U);
  EXPECT_EQ(*parse_size("64k"), 65536U);
  EXPECT_EQ(*parse_size("1g"), 1U << 30U);
  EXPECT_EQ(*parse_size("4096"), 4096U);
  EXPECT_FALSE(parse_size("4096x"));
}

TEST(Units, CountsAreWholeNumbers) {
  EXPECT_EQ(*parse_count("12"), 12U);
  EXPECT_FALSE(parse_count("12.5"));
  EXPECT_FALSE(parse_count("-1"));
  EXPECT_FALSE(parse_count(""));
}

TEST(Units, TimeStampsAreRfc3339WithOffset) {
  const std::string text = format_rfc3339(1'700'000'000ULL * kSecond + 42 * kMillisecond);
  EXPECT_EQ(text.size(), 29U) << text;
  EXPECT_EQ(text.substr(19, 4), ".042");
}

}  // namespace
}  // namespace stallproof
