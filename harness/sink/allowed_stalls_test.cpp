// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/allowed_stalls.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

// Since 1 s, found at 2 s; allowed until 21 s.
StallNews allowed(const std::string& id = "001") {
  return {.id = id, .onset_ms = 1000, .detected_ms = 2000, .allowed_ms = 20'000};
}

StallNews ended(double at_ms) {
  StallNews news = allowed();
  news.resolved_ms = at_ms;
  return news;
}

TEST(AllowedStalls, StallThatEndsInTimeIsNobodysConcern) {
  AllowedStalls stalls;
  EXPECT_TRUE(stalls.keep(allowed()));
  EXPECT_TRUE(stalls.update(allowed()));
  EXPECT_TRUE(stalls.outlasted(21'000).empty());
  EXPECT_EQ(stalls.end(ended(20'000)), AllowedStalls::End::within);
  EXPECT_TRUE(stalls.outlasted(1e9).empty());
}

TEST(AllowedStalls, StallThatOutlastsIsToldOnceWithAllThatIsKnown) {
  AllowedStalls stalls;
  stalls.keep(allowed());
  StallNews better = allowed();
  better.summary = "the file system is frozen";
  stalls.update(better);
  const auto told = stalls.outlasted(21'001);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].summary, better.summary);
  EXPECT_TRUE(stalls.outlasted(30'000).empty());
  EXPECT_FALSE(stalls.update(better));
  EXPECT_EQ(stalls.end(ended(40'000)), AllowedStalls::End::unknown);
}

TEST(AllowedStalls, EndThatIsSeenTooLateToldBoth) {
  AllowedStalls stalls;
  stalls.keep(allowed());
  EXPECT_EQ(stalls.end(ended(21'001)), AllowedStalls::End::outlasted);
}

TEST(AllowedStalls, StallThatNobodyAllowsIsNotKept) {
  AllowedStalls stalls;
  StallNews news = allowed();
  news.allowed_ms.reset();
  EXPECT_FALSE(stalls.keep(news));
  news.allowed_ms = 500;  // and was found after a second
  EXPECT_FALSE(stalls.keep(news));
  EXPECT_FALSE(stalls.update(news));
  EXPECT_EQ(stalls.end(ended(5000)), AllowedStalls::End::unknown);
}

}  // namespace
}  // namespace stallproof
