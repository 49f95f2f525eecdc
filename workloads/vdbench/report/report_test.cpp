// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "workloads/vdbench/report/flat_file.h"
#include "workloads/vdbench/report/histogram_text.h"
#include "workloads/vdbench/report/raw_rows.h"

namespace stallproof {
namespace {

// 400 reads of 4k and 100 writes of 8k in two seconds.
RawRow row_of(const std::string& label) {
  RawRow row{
      .label = label, .seconds = 2, .cpu = {.user = 10, .kernel = 20, .wait = 5, .idle = 65}};
  row.totals.read = {.count = 400,
                     .bytes = 400 * 4096,
                     .response_us = 400'000,
                     .response_us_squared = 400'000'000,
                     .max_us = 16'020'500};
  row.totals.write = {.count = 100,
                      .bytes = 100 * 8192,
                      .response_us = 300'000,
                      .response_us_squared = 900'000'000,
                      .max_us = 4'000};
  row.totals.read.buckets[10] = 400;
  row.totals.write.buckets[11] = 100;
  row.totals.outstanding_us = 16e6;
  return row;
}

std::vector<std::string> fields(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(VdbenchRows, HaveTheColumnsThatParsersCount) {
  EXPECT_EQ(raw_row("17:08:39.047", row_of("7")),
            "17:08:39.047           7      250.0     1.17    4915  80.00    1.400    1.000    "
            "3.000 16020.50     4.00    0.801    8.0  30.0  20.0");
  EXPECT_EQ(fields(raw_row("17:08:39.047", row_of("7"))).size(), 15U);
  // A third party's rule for rows that are not averages.
  EXPECT_TRUE(
      std::regex_match(raw_row("17:08:39.047", row_of("7")), std::regex(R"(^(\d|\s|:|\.)+?$)")));
}

TEST(VdbenchRows, ALongLabelIsGluedToTheTime) {
  EXPECT_TRUE(raw_row("17:08:39.047", row_of("avg_31-330000")).starts_with("17:08:39.047avg_31"));
  EXPECT_TRUE(raw_row("17:08:39.047", row_of("avg_2-20")).starts_with("17:08:39.047    avg_2-20 "));
}

TEST(VdbenchRows, AStalledRowIsOfZerosAndKeepsItsQueue) {
  RawRow row{.label = "11", .seconds = 1};
  row.totals.outstanding_us = 8e6;
  const std::string line = raw_row("10:00:00.000", row);
  EXPECT_EQ(fields(line)[2], "0.0");
  EXPECT_EQ(fields(line)[12], "8.0");
  EXPECT_EQ(line.find("nan"), std::string::npos);
}

TEST(VdbenchRows, NoTimeIsNoDivision) {
  EXPECT_EQ(raw_row("10:00:00.000", RawRow{.label = "1"}).find("inf"), std::string::npos);
}

TEST(VdbenchRows, TheHeaderStandsOverItsColumns) {
  const std::string header = raw_header("Nov 22, 2026");
  const std::string row = raw_row("17:08:39.047", row_of("7"));
  EXPECT_TRUE(header.starts_with("Nov 22, 2026    interval        i/o   MB/sec"));
  EXPECT_EQ(header.find('\n'), row.size());
  EXPECT_EQ(header.size(), 2 * row.size() + 1);
}

TEST(VdbenchFlatFile, HasThirtyFourFieldsOneBlankApart) {
  const FlatRaw run{.run = "rd1",
                    .requested_rate = 9999988,
                    .xfersize = 4096,
                    .threads = 8,
                    .read_percent = 70,
                    .lun_gigabytes = 0.25};
  const std::string line = flat_line("10:35:35.001", "11/22/2026-10:35:35-UTC", run, row_of("11"));
  EXPECT_EQ(fields(line).size(), 34U);
  EXPECT_EQ(line.find("  "), std::string::npos);
  EXPECT_TRUE(line.ends_with(" "));
  EXPECT_EQ(fields(line)[4], "9999988");
  EXPECT_EQ(fields(line)[18], "4096");
  EXPECT_EQ(fields(line)[23], "n/a");  // seekpct was mixed
  EXPECT_EQ(fields(line)[28], "8");    // queue_depth
  // Parsers that skip averages count two blanks there.
  EXPECT_NE(flat_line("a", "b", run, row_of("avg_2-3")).find("  avg_2-3"), std::string::npos);
}

TEST(VdbenchFlatFile, TheHeaderNamesTheFields) {
  const std::string header = flat_header();
  const std::size_t at = header.find("\ntod ");
  ASSERT_NE(at, std::string::npos);
  const auto names = fields(header.substr(at));
  ASSERT_EQ(names.size(), 34U);
  EXPECT_EQ(names[5], "rate");
  EXPECT_EQ(names[28], "queue_depth");
  EXPECT_EQ(names[33], "cpu_idle");
}

TEST(VdbenchHistogram, ShowsReadsAndWritesAndTheirSum) {
  const std::string text = histogram_text("rd1", row_of("1").totals);
  EXPECT_NE(text.find("rd1: reads and writes"), std::string::npos);
  EXPECT_NE(text.find("   1.000 <       2.000          400  80.0000  80.0000  "
                      "++++++++++++++++++++++++++++++++++++++++"),
            std::string::npos)
      << text;
  EXPECT_TRUE(histogram_text("rd1", {}).empty());
}

}  // namespace
}  // namespace stallproof
