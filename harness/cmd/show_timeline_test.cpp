// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/show_timeline.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

SavedRun night_run() {
  SavedRun run;
  run.id = "20261123-235950.000-watch-1";
  run.verdict = nlohmann::json::parse(R"({"started":"2026-11-23T23:59:50.000+01:00","stalls":[
    {"id":"001","class":"mmap_lock_cycle","onset_ms":5000,"detected_ms":6000,"resolved_ms":8000},
    {"id":"002","class":"unknown","onset_ms":3600000,"detected_ms":3601000,"resolved_ms":null}]})");
  run.events = parse_events("{\"t_ms\":1.5,\"event\":\"load_started\"}\n", run.problems);
  return run;
}

TEST(ShowTimeline, LocalAndRunTimeStandSideBySide) {
  const std::string text = render_timeline(night_run());
  EXPECT_NE(text.find("23:59:55.000      +5.000 s  STALL 001 begins"), std::string::npos) << text;
  EXPECT_NE(text.find("23:59:58.000      +8.000 s  stall 001 over"), std::string::npos) << text;
}

TEST(ShowTimeline, TimeOfDayIsOfTheRunNotOfThisMachine) {
  EXPECT_EQ(incident_at(night_run(), "23:59")->id, "001");
  EXPECT_EQ(incident_at(night_run(), "23:59")->note, "");
  // Past midnight, and it never resolved.
  EXPECT_EQ(incident_at(night_run(), "03:12")->id, "002");
  EXPECT_EQ(incident_at(night_run(), "2026-11-23T23:59:56+01:00")->id, "001");
}

TEST(ShowTimeline, QuietMomentNamesTheNearest) {
  const auto found = incident_at(night_run(), "00:00:05");
  EXPECT_EQ(found->id, "001");
  EXPECT_NE(found->note.find("nothing stood at"), std::string::npos);
}

TEST(ShowTimeline, WhatIsNoTimeIsRefused) {
  for (const char* word : {"", "noon", "24:00", "12:60", "12:3x", "-1:00"})
    EXPECT_FALSE(incident_at(night_run(), word)) << word;
}

TEST(ShowTimeline, CutEventIsAProblemAndTheRestIsTold) {
  std::vector<std::string> problems;
  const auto events = parse_events("{\"t_ms\":1,\"event\":\"a\"}\n{\"t_ms\":2,\"ev", problems);
  EXPECT_EQ(events.size(), 1U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("line 2"), std::string::npos);
}

TEST(ShowTimeline, UnfinishedRunKnowsItsTimeByItsName) {
  SavedRun run = night_run();
  run.verdict.reset();
  ASSERT_TRUE(clock_of(run));
  EXPECT_EQ(clock_of(run)->at(0), "23:59:50.000");
  EXPECT_EQ(clock_of(run)->date(), "2026-11-23");
  run.id = "garbage";
  EXPECT_FALSE(clock_of(run));
}

TEST(ShowTimeline, BarsMarkTheStall) {
  SavedRun run = night_run();
  run.seconds_csv = "t_ms,completed\n1000,100\n6000,0\n";
  const std::string text = render_throughput(run);
  EXPECT_NE(text.find("100 ####"), std::string::npos) << text;
  EXPECT_NE(text.find("<- stall"), std::string::npos) << text;
}

TEST(ShowTimeline, MissingRowsOfVdbenchAreOnTheSameLine) {
  SavedRun run = night_run();
  run.vdbench_csv = "t_ms,interval,iops,mbps,resp_ms,missing\n1000,1,500,4,2,0\n7000,2,,,,1\n";
  const std::string text = render_timeline(run);
  EXPECT_NE(text.find("vdbench: interval 1  500 IOPS"), std::string::npos) << text;
  EXPECT_NE(text.find("vdbench: interval 2 MISSING"), std::string::npos) << text;
}

}  // namespace
}  // namespace stallproof
