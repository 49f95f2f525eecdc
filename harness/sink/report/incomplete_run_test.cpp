// SPDX-License-Identifier: Apache-2.0
// Runs that crashed, were killed or copied in part: told as far as they go, never refused.
#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/testing/made_run.h"

namespace stallproof {
namespace {

using namespace testing_report;

RunContents contents_of(const MadeRun& run) {
  auto contents = read_contents(run.path());
  EXPECT_TRUE(contents) << (contents ? "" : contents.error().what);
  return contents ? std::move(*contents) : RunContents{};
}

bool names(const RunContents& contents, std::string_view what) {
  for (const std::string& problem : contents.problems)
    if (problem.find(what) != std::string::npos) return true;
  return false;
}

TEST(IncompleteRun, WithoutAVerdictSaysSoAndShowsTheRest) {
  const MadeRun run;
  put_stalled_run(run);
  put_series(run, 1, 20);
  run.remove("verdict.json");
  const RunContents contents = contents_of(run);
  EXPECT_TRUE(names(contents, "verdict.json is missing"));
  const std::string page = html_report(contents, true);
  for (const char* part : {"badge unfinished", "This run directory is not complete", "Incident 001",
                           "Throughput of load-0", "No verdict: nothing follows"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

TEST(IncompleteRun, AWatchThatSawNoLoadIsComplete) {
  const MadeRun run;
  put_stalled_run(run);
  run.put("series/loads.csv",
          "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n");
  run.put("series/seconds.csv", "t_ms,completed,in_flight,process_reads\n1007,0,0,\n");
  const RunContents contents = contents_of(run);
  EXPECT_TRUE(contents.loads.empty());
  EXPECT_FALSE(names(contents, "seconds.csv"));
}

TEST(IncompleteRun, EveryFileMayBeCutAnywhere) {
  const MadeRun whole;
  put_stalled_run(whole);
  put_series(whole, 1, 20);
  for (const char* name :
       {"verdict.json", "env.json", "incidents/001/incident.json", "incidents/001/explanation.json",
        "series/loads.csv", "series/latency.csv", "series/windows.csv",
        "incidents/001/sources.json"}) {
    const std::string text = *read_file(whole.path() + "/" + name);
    for (const double part : {0.0, 0.3, 0.77, 0.99}) {
      whole.put(name,
                text.substr(0, static_cast<std::size_t>(static_cast<double>(text.size()) * part)));
      const std::string page = html_report(contents_of(whole), false);
      EXPECT_NE(page.find("</html>"), std::string::npos) << name;
    }
    whole.put(name, text);
  }
}

TEST(IncompleteRun, ADamagedVerdictIsNamedNotBelieved) {
  const MadeRun run;
  put_stalled_run(run);
  run.put("verdict.json", "{\"schema\":1,\"verdict\":\"pass\"");
  const RunContents contents = contents_of(run);
  EXPECT_FALSE(contents.run.verdict.has_value());
  EXPECT_TRUE(names(contents, "verdict.json"));
}

TEST(IncompleteRun, AnIncidentWithoutItsFolderIsStillListed) {
  const MadeRun run;
  put_stalled_run(run);
  run.remove("incidents");
  const RunContents contents = contents_of(run);
  ASSERT_EQ(contents.incidents.size(), 1U);
  EXPECT_TRUE(names(contents, "its folder is missing"));
  EXPECT_NE(html_report(contents, false).find("It was not explained"), std::string::npos);
}

TEST(IncompleteRun, WhatIsNoRunIsRefused) {
  EXPECT_FALSE(read_contents("/nonexistent"));
  EXPECT_FALSE(read_contents("/proc/self"));
}

}  // namespace
}  // namespace stallproof
