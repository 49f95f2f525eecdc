// SPDX-License-Identifier: Apache-2.0
#include "harness/base/rfc3339.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(Rfc3339, TheSameInstantIsEqualWhateverItsOffset) {
  const auto here = parse_rfc3339("2026-06-03T20:01:05.600+02:00");
  const auto there = parse_rfc3339("2026-06-03T18:01:05.6Z");
  const auto west = parse_rfc3339("2026-06-03T12:31:05.600123-05:30");
  ASSERT_TRUE(here && there && west);
  EXPECT_EQ(here->unix_ms, 1780509665600);
  EXPECT_EQ(here->unix_ms, there->unix_ms);
  EXPECT_EQ(here->unix_ms, west->unix_ms);
  EXPECT_EQ(west->offset_min, -330);
}

TEST(Rfc3339, LeapDaysAndTimesBefore1970) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z")->unix_ms, 0);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59Z")->unix_ms, -1000);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z")->unix_ms, 1709164800000);
  EXPECT_EQ(date_words({.unix_ms = 1709164800000}), "29 February 2024");
  EXPECT_EQ(date_words({.unix_ms = -1000}), "31 December 1969");
}

TEST(Rfc3339, WhatIsNoStampIsRefused) {
  for (const char* text : {"", "2026-06-03", "2026-06-03T20:01:05", "2026-13-03T20:01:05Z",
                           "2026-06-03T24:01:05Z", "2026-06-03T20:01:05.Z",
                           "2026-06-03T20:01:05+0200", "2026-06-03T20:01:05Zx", "20260603T200105Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(Rfc3339, PeopleReadItInTheZoneItWasWrittenIn) {
  const auto late = parse_rfc3339("2026-06-03T00:30:00+02:00");
  ASSERT_TRUE(late);
  EXPECT_EQ(date_words(*late), "3 June 2026");
  EXPECT_EQ(time_words(*late), "2026-06-03 00:30:00 +02:00");
}

}  // namespace
}  // namespace stallproof
