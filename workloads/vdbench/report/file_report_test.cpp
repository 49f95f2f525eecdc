// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "workloads/vdbench/parameter.h"
#include "workloads/vdbench/report/file_rows.h"
#include "workloads/vdbench/report/flat_files.h"
#include "workloads/vdbench/report/measures.h"
#include "workloads/vdbench/report/testing/totals.h"

namespace stallproof {
namespace {

FileRow reading() {
  FileRow row{.label = "3",
              .seconds = 1,
              .cpu = {.user = 20, .kernel = 5.3, .wait = 0, .idle = 74.7},
              .requested = {FileOperation::read}};
  row.totals.of(FileOperation::read) = operations(17'275, 4096, 120, 1'500);
  row.totals.of(FileOperation::open) = operations(843, 0, 50, 700);
  row.totals.of(FileOperation::close) = operations(843, 0, 8, 20);
  return row;
}

// A format run whose files were there and had to go.
FileRow deleting() {
  FileRow row{.label = "avg_2-3",
              .seconds = 2,
              .cpu = {.user = 0.4, .kernel = 6.22},
              .requested = {FileOperation::write}};
  row.totals.of(FileOperation::rmdir) = operations(224, 0, 137, 209);
  row.totals.of(FileOperation::erase) = operations(57'982, 0, 1'004, 9'685);
  return row;
}

FlatFiles asked() {
  return {.stamp = {.tod = kTime, .timestamp = "11/22/2026-10:35:35-UTC", .run = "rd1"},
          .requested_rate = kMaxRate};
}

TEST(FileRows, HeaderIsVdbenchs) {
  EXPECT_EQ(
      file_header("Apr 03, 2019", {}),
      "\nApr 03, 2019 ..Interval.. .ReqstdOps... ...cpu%...  read ....read..... ....write.... "
      "..mb/sec... mb/sec .xfer.. ...mkdir.... ...rmdir.... ...create... ....open.... "
      "...close.... ...delete...\n"
      "                            rate   resp total  sys   pct   rate   resp   rate   resp  "
      "read write  total    size  rate   resp  rate   resp  rate   resp  rate   resp  rate   "
      "resp  rate   resp\n");
}

TEST(FileRows, RareOperationsAreColumnsWhenUsed) {
  const FileOperations used = {FileOperation::getattr, FileOperation::access, FileOperation::move};
  const std::vector<std::string> header = lines(file_header("Apr 03, 2019", used));
  EXPECT_TRUE(header.at(1).ends_with(" ...delete... ..getattr... ...access... ....move...."));
  EXPECT_EQ(fields(file_row(kTime, reading(), {})).size(), 25U + 2);
  EXPECT_EQ(fields(file_row(kTime, reading(), used)).size(), 31U + 2);
}

TEST(FileRows, HealthyIntervalIsOneLine) {
  EXPECT_EQ(file_row(kTime, reading(), {}),
            "10:35:35.004            3  17275  0.120  25.3 5.30 100.0  17275  0.120    0.0  0.000 "
            "67.48  0.00  67.48    4096   0.0  0.000   0.0  0.000   0.0  0.000 843.0  0.050 843.0 "
            " 0.008   0.0  0.000\n");
}

TEST(FileRows, StalledIntervalIsZeros) {
  FileRow row = reading();
  row.totals = {};
  EXPECT_EQ(file_row(kTime, row, {}),
            "10:35:35.004            3    0.0  0.000  25.3 5.30   0.0    0.0  0.000    0.0  0.000 "
            " 0.00  0.00   0.00       0   0.0  0.000   0.0  0.000   0.0  0.000   0.0  0.000   0.0 "
            " 0.000   0.0  0.000\n");
}

// A run of one interval, for which vdbench says NaN.
TEST(FileRows, RunWithoutIntervalsIsZerosNotNan) {
  const std::string line = file_row(kTime, {.label = "avg_2-1"}, {});
  EXPECT_EQ(line.find_first_of("Nni"), std::string::npos) << line;
  EXPECT_EQ(fields(line).size(), 25U + 2);
}

// kckecheng/vdbench_pusher, over standard output: ^(\d|\s|:|\.)+?$ and 25 + 2 words.
TEST(FileRows, PusherReadsIntervals) {
  const std::string line = lines(file_row(kTime, reading(), {})).at(0);
  EXPECT_EQ(line.find_first_not_of("0123456789 :."), std::string::npos);
  EXPECT_EQ(fields(line).size(), 25U + 2);
}

TEST(FileRows, RequestedOperationsAreThoseOfTheWorkloads) {
  FileRow row = reading();
  row.requested = {FileOperation::open, FileOperation::close};
  EXPECT_TRUE(file_row(kTime, row, {}).starts_with("10:35:35.004            3 1686.0  0.029 "));
}

TEST(FileRows, SpreadLeavesZerosBlank) {
  const FileRow average = deleting();
  FileSpread spread;
  FileTotals interval;
  interval.of(FileOperation::rmdir) = operations(112, 0, 137, 209);
  interval.of(FileOperation::erase) = operations(28'991, 0, 1'004, 9'685);
  spread.add(interval, 1);
  spread.add(interval, 1);
  EXPECT_EQ(file_row(kTime, average, {}),
            "10:35:35.004      avg_2-3    0.0  0.000   6.6 6.22   0.0    0.0  0.000    0.0  0.000 "
            " 0.00  0.00   0.00       0   0.0  0.000 112.0  0.137   0.0  0.000   0.0  0.000   0.0 "
            " 0.000 28991  1.004\n");
  EXPECT_EQ(file_spread_rows(kTime, average, spread, {}),
            "10:35:35.004      std_2-3" + std::string(164, ' ') + "\n10:35:35.004      max_2-3" +
                std::string(100, ' ') + "112.0  0.209" + std::string(40, ' ') + "28991  9.685\n");
}

TEST(FileRows, SpreadOfSeveralRequestedOperationsIsNotTold) {
  FileRow average = reading();
  average.label = "avg_2-3";
  FileSpread spread;
  spread.add(average.totals, 1);
  spread.add(average.totals, 2);
  const auto second = [&] {
    return fields(lines(file_spread_rows(kTime, average, spread, {})).at(1));
  };
  EXPECT_EQ(second()[2], "17275");
  EXPECT_EQ(second()[4], "17275");
  EXPECT_EQ(fields(file_spread_rows(kTime, average, spread, {}))[2], "6108.0");
  average.requested.add(FileOperation::open);
  EXPECT_EQ(second()[2], "17275");
  EXPECT_EQ(second()[4], "843.0");
}

TEST(FileRows, RatesOfIntervalsAreWhole) {
  RateSpread spread;
  spread.add(10.9);
  EXPECT_EQ(spread.deviation(), 0);
  spread.add(14.1);
  EXPECT_EQ(spread.max, 14);
  EXPECT_NEAR(spread.deviation(), 2.8284, 1e-4);
}

TEST(Measures, WhatDoesNotFitIsCutNotRounded) {
  EXPECT_EQ(fitted_text(970.966, 5, 2), "970.9");
  EXPECT_EQ(fitted_text(8881, 6, 1), "8881.0");
  EXPECT_EQ(fitted_text(17'275, 6, 1), " 17275");
  EXPECT_EQ(fitted_text(143.619, 6, 3), "143.61");
  EXPECT_EQ(fitted_text(10'111.08, 5, 2), "10111");
  EXPECT_EQ(fitted_text(1'995.99, 5, 2), " 1995");
  EXPECT_EQ(fitted_text(12'345'678, 5, 2), "12345678");
  EXPECT_EQ(fitted_text(12'345'678, 7, 0), "12345678");
  EXPECT_EQ(fitted_text(0, 5, 2), " 0.00");
  EXPECT_EQ(fitted_text(25.25, 5, 1), " 25.2");
}

TEST(FlatFiles, HeaderNames89Columns) {
  const std::vector<std::string> header = lines(flat_files_header());
  const std::vector<std::string> names = fields(header.back());
  EXPECT_EQ(names.size(), 89U);
  EXPECT_EQ(header.size(), 4 + 87U + 2 + 1);
  EXPECT_TRUE(header.back().starts_with(
      "         tod               timestamp Run Interval Xfersize Threads Reqrate Rate Rate_std "
      "Rate_max Resp Resp_std Resp_max MB/sec MB_read MB_write Read_rate Read_rate_std "
      "Read_rate_max Read_resp Read_resp_std Read_resp_max Write_rate "));
  EXPECT_TRUE(header.back().ends_with(
      " Delete_resp_max Getattr_rate Getattr_rate_std Getattr_rate_max Getattr_resp "
      "Getattr_resp_std Getattr_resp_max Setattr_rate Setattr_rate_std Setattr_rate_max "
      "Setattr_resp Setattr_resp_std Setattr_resp_max Access_rate Access_rate_std "
      "Access_rate_max Access_resp Access_resp_std Access_resp_max Compratio Dedupratio cpu_used "
      "cpu_user cpu_kernel cpu_wait cpu_idle "));
}

TEST(FlatFiles, HealthyIntervalIsOneLine) {
  EXPECT_EQ(flat_files_line(asked(), reading()),
            "10:35:35.004 11/22/2026-10:35:35-UTC rd1 3 4096 n/a 9999988 17275 0 0 0.12 0 1.5 "
            "67.4805 67.4805 0 17275 0 0 0.12 0 1.5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
            "0 843 0 0 0.05 0 0.7 843 0 0 0.008 0 0.02 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
            "0 0 0 1 n/a 25.3 20 5.3 0 74.7 \n");
}

TEST(FlatFiles, AverageHasTheSpreadAndABlankMore) {
  FileRow average = reading();
  average.label = "avg_2-3";
  FileSpread spread;
  spread.add(average.totals, 1);
  spread.add(average.totals, 1);
  const std::string line = flat_files_line(asked(), average, spread);
  EXPECT_NE(line.find(" rd1  avg_2-3 4096 n/a 9999988 17275 0 17275 0.12 "), std::string::npos);
  EXPECT_EQ(fields(line).size(), 89U);
}

TEST(FlatFiles, SpreadOfSeveralRequestedOperationsIsNotAvailable) {
  FileRow row = reading();
  row.requested.add(FileOperation::open);
  const std::vector<std::string> line = fields(flat_files_line(asked(), row));
  ASSERT_EQ(line.size(), 89U);
  EXPECT_EQ(line[7], "18118");
  for (const std::size_t unknown : {8U, 9U, 11U, 12U}) EXPECT_EQ(line[unknown], "n/a");
}

TEST(FlatFiles, StalledIntervalIsZeros) {
  FileRow row = reading();
  row.totals = {};
  const std::vector<std::string> line = fields(flat_files_line(asked(), row));
  ASSERT_EQ(line.size(), 89U);
  for (std::size_t i = 7; i < 82; ++i) EXPECT_EQ(line[i], "0") << i;
}

}  // namespace
}  // namespace stallproof
