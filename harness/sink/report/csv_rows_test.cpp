// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/csv_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/sink/report/load_files.h"
#include "harness/sink/report/testing/made_run.h"

namespace stallproof {
namespace {

using testing_report::MadeRun;

TEST(CsvRows, ARowCutByACrashIsCountedNotGuessed) {
  const MadeRun run;
  run.put("series/a.csv", "t,x\n1,2\n3,4\n5,");
  double sum = 0;
  const CsvCounts counts = read_csv(
      run.path() + "/series/a.csv", [](const CsvRow&) {},
      [&sum](const CsvRow& row) {
        sum += row.number(1);
        return true;
      });
  EXPECT_EQ(counts.rows, 2U);
  EXPECT_EQ(counts.bad, 1U);
  EXPECT_DOUBLE_EQ(sum, 6);
}

TEST(CsvRows, NumbersThatAreNoneAreNone) {
  const MadeRun run;
  run.put("series/a.csv", "a,b,c,d,e,f\n,x,-1,1e999,12.5,7 \n");
  read_csv(
      run.path() + "/series/a.csv", [](const CsvRow&) {},
      [](const CsvRow& row) {
        for (const std::size_t field : {0U, 1U, 2U, 3U, 5U, 9U})
          EXPECT_TRUE(std::isnan(row.number(field))) << field;
        EXPECT_DOUBLE_EQ(row.number(4), 12.5);
        return true;
      });
}

TEST(CsvRows, AMissingFileIsNotOpened) {
  const auto none = [](const CsvRow&) { return true; };
  EXPECT_FALSE(read_csv(
                   "/nonexistent.csv", [](const CsvRow&) {}, none)
                   .opened);
}

TEST(CsvRows, ALineWithoutEndTakesNoMemory) {
  const MadeRun run;
  run.put("series/a.csv", "a\n" + std::string(1U << 20U, 'x') + "\n7\n");
  const CsvCounts counts = read_csv(
      run.path() + "/series/a.csv", [](const CsvRow&) {},
      [](const CsvRow& row) { return row.number(0) == 7; });
  EXPECT_EQ(counts.rows, 1U);
  EXPECT_GT(counts.bad, 0U);
}

TEST(LoadFiles, ALateRowTellsOfALongerTime) {
  const MadeRun run;
  run.put("series/loads.csv",
          "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n"
          "1000,a,100,0,0,1,2,3,0,0\n3000,a,100,0,0,,,,0,0\n3000,a,5,0,0,1,2,3,0,0\n");
  RunContents contents;
  read_load_seconds(run.path() + "/series/loads.csv", contents);
  ASSERT_EQ(contents.loads.size(), 1U);
  ASSERT_EQ(contents.loads[0].points.size(), 2U);
  EXPECT_FLOAT_EQ(contents.loads[0].points[0].per_second, 100);
  EXPECT_FLOAT_EQ(contents.loads[0].points[1].per_second, 50);
  EXPECT_TRUE(std::isnan(contents.loads[0].points[1].p99_us));
  ASSERT_EQ(contents.problems.size(), 1U);  // the same time twice
  EXPECT_EQ(contents.problems[0], "series/loads.csv: 1 of 3 rows cut or damaged");
}

TEST(LoadFiles, TextOfAWindowMayHaveCommas) {
  const MadeRun run;
  run.put("series/windows.csv",
          "start_ms,end_ms,kind,text\n1,2,mark,a, b, c\n5,,gap,open\n"
          "7,8,mark,\"a, \"\"b\"\"\"\n");
  RunContents contents;
  contents.span_s = 9;
  read_windows(run.path() + "/series/windows.csv", contents);
  ASSERT_EQ(contents.windows.size(), 3U);
  EXPECT_EQ(contents.windows[0].text, "a, b, c");
  EXPECT_DOUBLE_EQ(contents.windows[1].end_ms, 9000);
  EXPECT_EQ(contents.windows[2].text, "a, \"b\"");
}

TEST(LoadFiles, RunsOfBeforeHaveSecondsOnly) {
  const MadeRun run;
  run.put("series/seconds.csv",
          "end_ms,page_reads,direct_reads,hazards,direct,maps\n1000,1,2,3,40,50\n2000,1,1,1,0,7\n");
  RunContents contents;
  read_old_seconds(run.path() + "/series/seconds.csv", contents);
  ASSERT_EQ(contents.loads.size(), 2U);
  EXPECT_EQ(contents.loads[0].name, "direct");
  EXPECT_FLOAT_EQ(contents.loads[1].points[1].per_second, 7);
  EXPECT_FALSE(contents.loads[0].has_latency);
}

}  // namespace
}  // namespace stallproof
