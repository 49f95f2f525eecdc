// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

// 2026-11-22 10:00:00 UTC, told by a node whose zone is one hour ahead.
constexpr Nanos kReal = 1'795'341'600ULL * kSecond;
constexpr Nanos kNow = 5000 * kSecond;

std::string header() {
  return "* tod : time of day\ntod timestamp Run Interval reqrate rate MB/sec bytes/io read% "
         "resp\n";
}

std::string row(int second, int interval, double rate, const char* run = "rd1") {
  return fmt::format(
      "11:00:{:02}.000 11/22/2026-11:00:{:02}-CET {} {} 9999988 {} 4.0 4096 70 2.5 \n", second,
      second, run, interval, rate);
}

class Output {
 public:
  VdbenchRows rows{"unused"};
  void at(int second, const std::string& text) {
    rows.feed(text, kNow + static_cast<Nanos>(second) * kSecond,
              kReal + static_cast<Nanos>(second) * kSecond);
    rows.notice_missing(kNow + static_cast<Nanos>(second) * kSecond);
  }
};

TEST(VdbenchRows, RowsLieOnTheMonotonicClockWhateverTheZone) {
  Output output;
  output.at(1, header() + row(1, 1, 500));
  ASSERT_EQ(output.rows.rows().size(), 1U);
  EXPECT_EQ(output.rows.rows()[0].at_ns, kNow + kSecond);
  EXPECT_EQ(output.rows.rows()[0].iops, 500);
  EXPECT_EQ(output.rows.rows()[0].mbps, 4);
  EXPECT_EQ(output.rows.rows()[0].resp_ms, 2.5);
}

TEST(VdbenchRows, IntervalsThatDoNotComeAreMissing) {
  Output output;
  output.at(1, header() + row(1, 1, 500));
  output.at(2, row(2, 2, 500));
  output.at(8, "");
  EXPECT_EQ(output.rows.missing(), 4U);
  EXPECT_EQ(output.rows.rows()[2].interval, 3U);
  EXPECT_EQ(output.rows.rows()[2].at_ns, kNow + 3 * kSecond);
  // The burst after a freeze: real rows, and still missed when they were due.
  output.at(9, row(9, 3, 0) + row(9, 4, 0) + row(9, 5, 2000));
  EXPECT_EQ(output.rows.missing(), 4U);
}

TEST(VdbenchRows, RowsInTimeAreNotMissing) {
  Output output;
  output.at(1, header() + row(1, 1, 500));
  for (int second = 2; second < 40; ++second) output.at(second, row(second, second, 500));
  EXPECT_EQ(output.rows.missing(), 0U);
}

TEST(VdbenchRows, PauseBetweenRunsIsNotMissed) {
  Output output;
  output.at(1, header() + row(1, 1, 500));
  output.at(2, row(2, 2, 500) + "11:00:02.100 x rd1 avg_2-2 9999988 500 4 4096 70 2.5 \n");
  output.at(30, "");
  EXPECT_EQ(output.rows.missing(), 0U);
  output.at(31, row(31, 1, 100, "rd2"));
  EXPECT_EQ(output.rows.rows().back().run, "rd2");
}

TEST(VdbenchRows, BurstTeachesNoInterval) {
  Output output;
  output.at(1, header() + "11:00:01.000 x rd1 1 9 500 4 4096 70 2\n" +
                   "11:00:01.010 x rd1 2 9 5 4 4096 70 2\n");
  output.at(12, "");
  EXPECT_EQ(output.rows.missing(), 0U);
}

TEST(VdbenchRows, FreezeAtTheStartIsCorrectedByLaterRows) {
  Output output;
  output.at(1, header() + row(1, 1, 500));
  output.at(9, row(9, 2, 500));
  output.at(10, row(10, 3, 500));
  output.at(14, "");
  EXPECT_GE(output.rows.missing(), 2U);
}

TEST(VdbenchRows, FileWrittenAnewIsReadFromItsBeginningAndOldRowsAreNotOurs) {
  const FakeTree tree;
  tree.put("flatfile.html", header() + row(1, 1, 500) + row(2, 2, 500) + row(3, 3, 500));
  VdbenchRows rows(tree.root());
  rows.poll(kNow, kReal);
  EXPECT_TRUE(rows.rows().empty());
  tree.put("flatfile.html", header() + row(1, 1, 77));
  rows.poll(kNow + kSecond, kReal + kSecond);
  rows.poll(kNow + 2 * kSecond, kReal + 2 * kSecond);
  ASSERT_EQ(rows.rows().size(), 1U);
  EXPECT_EQ(rows.rows()[0].iops, 77);
}

TEST(VdbenchRows, HalfLinesAndOtherColumnOrdersAreRead) {
  Output output;
  output.at(1, "tod Run resp Interval rate MB/sec\n11:00:01.0");
  EXPECT_TRUE(output.rows.rows().empty());
  output.at(1, "00 rd1 9.5 1 77 3\n");
  ASSERT_EQ(output.rows.rows().size(), 1U);
  EXPECT_EQ(output.rows.rows()[0].iops, 77);
  EXPECT_EQ(output.rows.rows()[0].resp_ms, 9.5);
}

TEST(VdbenchRows, GarbageIsNoRow) {
  Output output;
  output.at(1, "<title>Vdbench</title>\n\n" + header() + "nonsense\n11:00:01.000\n");
  EXPECT_TRUE(output.rows.rows().empty());
}

TEST(VdbenchRows, DirectoryThatIsNotThereIsAProblemNotAnEnd) {
  VdbenchRows rows("/nonexistent");
  rows.poll(kNow, kReal);
  EXPECT_NE(rows.problem().find("/nonexistent"), std::string::npos);
  EXPECT_TRUE(rows.rows().empty());
}

}  // namespace
}  // namespace stallproof
