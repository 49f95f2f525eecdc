// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/parameter.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

Result<Parameter> parsed(const std::string& text) { return parse_parameter({text, {"file", 7}}); }

std::vector<double> numbers(const std::string& text) {
  const auto parameter = parsed(text);
  return parameter ? parameter->numbers : std::vector<double>{-777};
}

using Names = std::vector<std::string>;

Names words(const std::string& text) {
  const auto parameter = parsed(text);
  return parameter ? parameter->words : Names{parameter.error().what};
}

TEST(VdbenchParameter, SuffixesArePowersOf1024AndTimes) {
  EXPECT_EQ(numbers("size=4k"), std::vector{4096.0});
  EXPECT_EQ(numbers("size=4kb"), std::vector{4096.0});
  EXPECT_EQ(numbers("size=1.5G"), std::vector{1.5 * (1 << 30)});
  EXPECT_EQ(numbers("elapsed=2m"), std::vector{120.0});
  EXPECT_EQ(numbers("el=2h"), std::vector{7200.0});
  EXPECT_EQ(numbers("xfersize=2m"), std::vector{2.0 * 1024 * 1024});
  EXPECT_EQ(numbers("iorate=50%"), std::vector{-50.0});
}

TEST(VdbenchParameter, ThereIsNoSuffixForSeconds) {
  EXPECT_EQ(words("elapsed=60s"), Names{"60s"});
  EXPECT_FALSE(first_number(*parsed("elapsed=60s")));
  EXPECT_EQ(first_number(*parsed("elapsed=60s")).error().what.substr(0, 7), "file:7:");
}

TEST(VdbenchParameter, RangesStepDoubleAndHalve) {
  EXPECT_EQ(numbers("threads=(1-7,3)"), (std::vector<double>{1, 4, 7}));
  EXPECT_EQ(numbers("threads=(1-10,4)"), (std::vector<double>{1, 5, 9}));
  EXPECT_EQ(numbers("threads=(3-20,d)"), (std::vector<double>{3, 6, 12}));
  EXPECT_EQ(numbers("threads=(64-16,d)"), (std::vector<double>{64, 32, 16}));
  EXPECT_EQ(numbers("threads=(1,2-6,2,32)"), (std::vector<double>{1, 2, 4, 6, 32}));
  // Down in steps goes nowhere, silently, in vdbench as well.
  EXPECT_EQ(numbers("iorate=(500-100,100)"), std::vector{500.0});
}

TEST(VdbenchParameter, RangesThatHaveNoEndAreRefused) {
  for (const char* bad : {"threads=(1-10)", "threads=(1-10,0)", "threads=(0-10,d)",
                          "threads=(-5,1)", "threads=(1-,2)", "size=(1-1000000,1)"})
    EXPECT_FALSE(parsed(bad)) << bad;
}

TEST(VdbenchParameter, NamesCountUp) {
  EXPECT_EQ(words("sd=(sd8-sd11,log)"), (Names{"sd8", "sd9", "sd10", "sd11", "log"}));
  for (const char* bad : {"sd=(sd3-sd1)", "sd=(sd1-tape3)", "sd=(disk-a)", "sd=(sd1-)"})
    EXPECT_FALSE(parsed(bad)) << bad;
}

TEST(VdbenchParameter, ListsDoNotMixNumbersAndNames) {
  EXPECT_FALSE(parsed("io=(100,max)"));
  EXPECT_EQ(numbers("iorate=(100,max)"), (std::vector<double>{100, kMaxRate}));
  EXPECT_FALSE(parsed("threads=(64,1,d)"));
  EXPECT_EQ(words("data_errors=(remove,60)"), std::vector<std::string>{"remove"});
}

TEST(VdbenchParameter, NamesOfHostsMayLookLikeSizes) {
  EXPECT_EQ(words("hd=5220h"), Names{"5220h"});
  EXPECT_EQ(words("host=(my-host,b)"), (Names{"my-host", "b"}));
  EXPECT_EQ(words("histogram=(default,20,1m)"), (Names{"default", "20", "1m"}));
}

TEST(VdbenchParameter, NumbersBeyond64BitsAreRefused) {
  for (const char* bad : {"size=1e30", "size=9e17t", "xfersize=(4k,1e999)", "iorate=-1e19"})
    EXPECT_FALSE(parsed(bad)) << bad;
  EXPECT_TRUE(parsed("size=512t"));
}

TEST(VdbenchParameter, NeedsAKeywordOfTwoLettersAndAValue) {
  for (const char* bad : {"sd", "sd=", "=sd1", "s=1", ""}) EXPECT_FALSE(parsed(bad)) << bad;
}

}  // namespace
}  // namespace stallproof
