// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "workloads/vdbench/report/flat_file.h"
#include "workloads/vdbench/report/histogram_text.h"
#include "workloads/vdbench/report/html_page.h"
#include "workloads/vdbench/report/measures.h"
#include "workloads/vdbench/report/raw_rows.h"
#include "workloads/vdbench/report/testing/totals.h"

namespace stallproof {
namespace {

RawRow healthy() {
  return {.label = "2",
          .totals = {.read = operations(350, 4096, 200, 1500),
                     .write = operations(150, 4096, 400, 2250),
                     .outstanding_us = 130'000},
          .seconds = 1,
          .cpu = {.user = 20.04, .kernel = 5.26, .wait = 3, .idle = 71.7}};
}

RawRow stalled() {
  return {.label = "11",
          .totals = {.outstanding_us = 7'992'200},
          .seconds = 1,
          .cpu = {.user = 0.5, .kernel = 0.5}};
}

FlatRaw asked() {
  return {.stamp = {.tod = kTime, .timestamp = "11/22/2026-10:35:35-UTC", .run = "rd1"},
          .requested_rate = kMaxRate,
          .xfersize = 4096,
          .threads = 8,
          .read_percent = 70,
          .read_hits = 0,
          .write_hits = 0,
          .seek_percent = 100,
          .lun_bytes = 41'943'040};
}

TEST(RawRows, HeaderIsVdbenchs) {
  EXPECT_EQ(raw_header("Nov 22, 2026"),
            "\nNov 22, 2026    interval        i/o   MB/sec   bytes   read     resp     read    "
            "write     read    write     resp  queue  cpu%  cpu%\n"
            "                               rate  1024**2     i/o    pct     time     resp     "
            "resp      max      max   stddev  depth sys+u   sys\n");
}

TEST(RawRows, HealthyIntervalIsOneLine) {
  EXPECT_EQ(raw_row(kTime, healthy()),
            "10:35:35.004           2      500.0     1.95    4096  70.00    0.260    0.200    "
            "0.400     1.50     2.25    0.092    0.1  25.3   5.3\n");
}

TEST(RawRows, StallIsZerosWithAllThreadsInTheQueue) {
  EXPECT_EQ(raw_row(kTime, stalled()),
            "10:35:35.004          11        0.0     0.00       0   0.00    0.000    0.000    "
            "0.000     0.00     0.00    0.000    8.0   1.0   0.5\n");
}

TEST(RawRows, RunWithoutIntervalsIsZerosNotNan) {
  EXPECT_EQ(raw_row(kTime, {.label = "avg_2-1"}),
            "10:35:35.004     avg_2-1        0.0     0.00       0   0.00    0.000    0.000    "
            "0.000     0.00     0.00    0.000    0.0   0.0   0.0\n");
}

TEST(RawRows, LongLabelStandsRightBehindTheTime) {
  RawRow row = healthy();
  row.label = "avg_301-3600";
  EXPECT_TRUE(raw_row(kTime, row).starts_with("10:35:35.004avg_301-3600 "));
  row.label = "avg_31-330";
  EXPECT_TRUE(raw_row(kTime, row).starts_with("10:35:35.004  avg_31-330 "));
}

TEST(RawRows, LongNumbersKeepTheirBlanks) {
  RawRow row = healthy();
  row.totals.read = operations(12'345'678'901, 4096, 200, 160'205'000.5);
  EXPECT_EQ(fields(raw_row(kTime, row)).size(), 15U);
}

// kckecheng/vdbench_pusher, over standard output: ^(\d|\s|:|\.)+?$ and 13 + 2 words.
TEST(RawRows, PusherReadsIntervalsAndSkipsAverages) {
  const auto line = [](const RawRow& row) { return lines(raw_row(kTime, row)).at(0); };
  const auto taken = [](const std::string& text) {
    return text.find_first_not_of("0123456789 :.") == std::string::npos;
  };
  EXPECT_TRUE(taken(line(healthy())));
  EXPECT_TRUE(taken(line(stalled())));
  EXPECT_EQ(fields(line(stalled())).size(), 13U + 2);
  RawRow average = healthy();
  average.label = "avg_2-20";
  EXPECT_FALSE(taken(line(average)));
  EXPECT_EQ(fields(line(average)).size(), 13U + 2);
}

TEST(Measures, DeviationIsThatOfASample) {
  OpTotals two = operations(1, 0, 1000, 1000);
  EXPECT_EQ(deviation_ms(two), 0);
  two += operations(1, 0, 3000, 3000);
  EXPECT_NEAR(deviation_ms(two), std::sqrt(2.0), 1e-12);
}

TEST(Measures, EqualTimesDeviateByNothingAtAll) {
  EXPECT_EQ(fixed_text(deviation_ms(operations(3'000'000, 0, 0.1, 0.1)), 0, 3), "0.000");
}

TEST(Measures, HalvesGoUpInRows) {
  EXPECT_EQ(fixed_text(105.25, 6, 1), " 105.3");
  EXPECT_EQ(fixed_text(0.285, 0, 2), "0.29");
  EXPECT_EQ(fixed_text(0.2849, 0, 2), "0.28");
  EXPECT_EQ(fixed_text(0, 0, 3), "0.000");
}

TEST(Measures, TrimmedNumbersHaveNoZerosAtTheirEnd) {
  EXPECT_EQ(trimmed_text(9'999'988), "9999988");
  EXPECT_EQ(trimmed_text(0), "0");
  EXPECT_EQ(trimmed_text(100), "100");
  EXPECT_EQ(trimmed_text(54.023), "54.023");
  EXPECT_EQ(trimmed_text(0.00004), "0");
}

TEST(FlatFile, HeaderNames34ColumnsInTheirOrder) {
  const std::vector<std::string> header = lines(flat_raw_header());
  EXPECT_EQ(header.back(),
            "         tod               timestamp Run Interval reqrate rate MB/sec bytes/io read% "
            "resp read_resp write_resp resp_max read_max write_max resp_std read_std write_std "
            "xfersize threads rdpct rhpct whpct seekpct lunsize version compratio dedupratio "
            "queue_depth cpu_used cpu_user cpu_kernel cpu_wait cpu_idle ");
  EXPECT_EQ(fields(header.back()).size(), 34U);
}

// varia2/vdbench_exporter takes any line with these words for the header.
TEST(FlatFile, OnlyTheHeaderHasTheExportersWords) {
  for (const std::string& line : lines(flat_raw_header())) {
    const std::vector<std::string> words = fields(line);
    const bool all = std::ranges::all_of(
        std::vector<std::string>{"rate", "resp", "MB/sec"},
        [&](const std::string& word) { return std::ranges::count(words, word) > 0; });
    EXPECT_EQ(all, !line.starts_with('*')) << line;
  }
}

TEST(FlatFile, HealthyIntervalIsOneLine) {
  EXPECT_EQ(flat_raw_line(asked(), healthy()),
            "10:35:35.004 11/22/2026-10:35:35-UTC rd1 2 9999988 500 1.9531 4096 70 0.26 0.2 0.4 "
            "2.25 1.5 2.25 0.0917 0 0 4096 8 70 0 0 100 0.0391 n/a 1 n/a 0.13 25.3 20.04 5.26 3 "
            "71.7 \n");
}

TEST(FlatFile, StallIsZerosWithAllThreadsInTheQueue) {
  EXPECT_EQ(flat_raw_line(asked(), stalled()),
            "10:35:35.004 11/22/2026-10:35:35-UTC rd1 11 9999988 0 0 0 0 0 0 0 0 0 0 0 0 0 4096 8 "
            "70 0 0 100 0.0391 n/a 1 n/a 7.9922 1 0.5 0.5 0 0 \n");
}

TEST(FlatFile, MixedWorkloadsAreNotAvailableAndStillColumns) {
  FlatRaw mixed = asked();
  mixed.xfersize = mixed.threads = mixed.seek_percent = std::nullopt;
  const std::vector<std::string> line = fields(flat_raw_line(mixed, healthy()));
  ASSERT_EQ(line.size(), 34U);
  EXPECT_EQ(line[18], "n/a");
  EXPECT_EQ(line[19], "n/a");
  EXPECT_EQ(line[20], "70");
  EXPECT_EQ(line[23], "n/a");
}

// xocoru/vdbench2influxdb splits at each blank and wants 35; liouxiao's wants 34 words.
TEST(FlatFile, AveragesHaveABlankMoreThanIntervals) {
  const auto blanks = [](const RawRow& row) {
    return std::ranges::count(flat_raw_line(asked(), row), ' ');
  };
  EXPECT_EQ(blanks(healthy()), 34);
  RawRow average = healthy();
  average.label = "avg_2-20";
  EXPECT_EQ(blanks(average), 35);
  EXPECT_EQ(fields(flat_raw_line(asked(), average)).size(), 34U);
  EXPECT_NE(flat_raw_line(asked(), average).find(" rd1  avg_2-20 9999988 "), std::string::npos);
}

TEST(Histogram, MixHasThreeTables) {
  const std::vector<std::string> text = lines(histogram_text(healthy().totals));
  ASSERT_EQ(text.size(), 3U * 31);
  EXPECT_EQ(text[0], "Reads and writes:");
  EXPECT_EQ(text[1],
            "  min(ms) <     max(ms)         count       %%    cum%%  '+': Individual%; '+-': "
            "Cumulative%");
  EXPECT_EQ(text[2], "");
  EXPECT_EQ(text[3], "    0.000 <       0.020             0   0.0000   0.0000  ");
  EXPECT_EQ(text[9],
            "    0.200 <       0.400           350  70.0000  70.0000  "
            "+++++++++++++++++++++++++++++++++++");
  EXPECT_EQ(text[10],
            "    0.400 <       0.600           150  30.0000 100.0000  "
            "+++++++++++++++-----------------------------------");
  EXPECT_EQ(text[29],
            " 2000.000 <         max             0   0.0000 100.0000  "
            "--------------------------------------------------");
  EXPECT_EQ(text[31], "Reads:");
  EXPECT_EQ(text[62], "Writes:");
}

TEST(Histogram, OneKindHasOneTable) {
  IoTotals totals{.read = operations(1'234'567, 4096, 2'500'000, 0)};
  const std::vector<std::string> text = lines(histogram_text(totals));
  ASSERT_EQ(text.size(), 31U);
  EXPECT_EQ(text[0], "Only reads done for this workload:");
  EXPECT_TRUE(text[29].starts_with(" 2000.000 <         max     1,234,567 100.0000 100.0000  +"));
  totals = {.write = operations(1, 4096, 0, 0)};
  EXPECT_TRUE(histogram_text(totals).starts_with("Only writes done for this workload:\n"));
}

TEST(Histogram, NothingDoneIsSaid) {
  EXPECT_EQ(histogram_text({}), "No statistics generated for this run.\n");
}

Plan three_runs() {
  const auto run = [](const char* name, double threads, double xfersize) {
    return PlannedRun{.name = name,
                      .rate = kMaxRate,
                      .elapsed = 30,
                      .loops = {{"threads", threads}, {"xfersize", xfersize}}};
  };
  Plan plan;
  plan.runs = {run("rd1", 1, 4096), run("rd1", 1, 8192), run("rd1", 2, 4096)};
  plan.runs.push_back({.name = "rd2", .rate = 100, .controlled = false, .elapsed = 30});
  return plan;
}

TEST(HtmlPage, TitleNamesFolderAndFile) {
  EXPECT_EQ(page_title("output", "flatfile.html"),
            "<title>Vdbench output/flatfile.html</title><pre>\n");
}

TEST(HtmlPage, StartOfARunHasAnAnchorOnPagesOnly) {
  const Plan plan = three_runs();
  EXPECT_EQ(run_start(kTime, plan.runs[3], false),
            "10:35:35.004 Starting RD=rd2; I/O rate: 100; elapsed=30; For loops: None\n");
  EXPECT_EQ(run_start_html(kTime, plan.runs[3], false, 3),
            "\n<a name=\"_4\"></a><i><b>10:35:35.004 Starting RD=rd2; I/O rate: 100; elapsed=30; "
            "For loops: None</b></i>\n\n");
}

TEST(HtmlPage, LinksToRunsLeaveOutWhatTheyRepeat) {
  EXPECT_EQ(run_links(three_runs()),
            "\n"
            "Link to Run Definitions:         <A HREF=\"#_1\">rd1 For loops: threads=1 "
            "xfersize=4k</A>\n"
            "                                                          <A HREF=\"#_2\">"
            "xfersize=8k</A>\n"
            "                                 <A HREF=\"#_3\">rd1 For loops: threads=2 "
            "xfersize=4k</A>\n"
            "                                 <A HREF=\"#_4\">rd2 For loops: None</A>\n"
            "\n");
}

TEST(HtmlPage, FormatsHaveNoLoops) {
  Plan plan;
  plan.file_systems = true;
  plan.runs.push_back({.name = "format_for_rd1", .format = true});
  EXPECT_EQ(run_links(plan),
            "\nLink to Run Definitions:         <A HREF=\"#_1\">format_for_rd1 For loops: "
            "None</A>\n\n");
}

TEST(HtmlPage, LinksStandInColumns) {
  EXPECT_EQ(page_link("Link to flatfile", "flatfile", "flatfile"),
            "Link to flatfile:                <A HREF=\"flatfile.html\">flatfile</A>\n");
  EXPECT_EQ(page_links("SD", {"sd1", "long_name"}),
            "Link to SD reports:              <A HREF=\"sd1.html\">sd1</A>      "
            "<A HREF=\"long_name.html\">long_name</A>\n");
  EXPECT_EQ(page_links("SD", {}), "");
  EXPECT_EQ(lines(page_links("SD", std::vector<std::string>(9, "sd1"))).size(), 2U);
}

}  // namespace
}  // namespace stallproof
