// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/second_try.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kPage = 4096;

PageRead read_of(std::uint32_t tid, std::uint64_t op, std::uint64_t offset) {
  return {.tid = tid, .op = op, .offset = offset, .length = kPage};
}

TEST(SecondTryDetector, SamePageInTheSameOpIsASecondTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try(read_of(7, 1, 0)));
  EXPECT_TRUE(detector.second_try(read_of(7, 1, 0)));
}

TEST(SecondTryDetector, SamePageInTheNextOpIsAFirstTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try(read_of(7, 1, 0)));
  EXPECT_FALSE(detector.second_try(read_of(7, 2, 0)));
}

TEST(SecondTryDetector, AnotherThreadsReadOfThePageIsAFirstTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try(read_of(7, 1, 0)));
  EXPECT_FALSE(detector.second_try(read_of(8, 1, 0)));
  EXPECT_TRUE(detector.second_try(read_of(7, 1, 0)));
}

TEST(SecondTryDetector, AnotherPageIsAFirstTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try(read_of(7, 1, 0)));
  EXPECT_FALSE(detector.second_try(read_of(7, 1, kPage)));
}

TEST(SecondTryDetector, SameOffsetInAnotherFileIsAFirstTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try({.tid = 7, .op = 1, .length = kPage, .inode = 3}));
  EXPECT_FALSE(detector.second_try({.tid = 7, .op = 1, .length = kPage, .inode = 4}));
}

TEST(SecondTryDetector, OnePageOfAnEarlierReadaheadIsASecondTry) {
  SecondTryDetector detector;
  EXPECT_FALSE(detector.second_try({.tid = 7, .op = 1, .offset = 8 * kPage, .length = 32 * kPage}));
  EXPECT_TRUE(detector.second_try(read_of(7, 1, 39 * kPage)));
  EXPECT_FALSE(detector.second_try(read_of(7, 1, 40 * kPage)));
}

}  // namespace
}  // namespace stallproof
