// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/run/judge/judge_show.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

// A run directory with series that a test makes up, and a verdict of 1 s, 30 s and 10 %.
class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    std::string name = (fs::temp_directory_path() / "judge-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ + "/series");
    fs::create_directories(folder_ + "/incidents");
    write("run.id", "made-up\n");
    verdict_.run = "made-up";
    verdict_.outcome = Outcome::pass;
    verdict_.exit_code = 0;
    verdict_.reasons = {"no stall"};
    verdict_.stall_after_ms = 1000;
    verdict_.fail_after_ms = 30'000;
    verdict_.dropout_below = 0.1;
  }
  ~JudgeTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  // The next second of the load.
  void second(std::uint64_t ops, double max_ms, std::uint64_t in_flight = 4, double oldest_ms = 2) {
    ++seconds_;
    rows_ += fmt::format("{},direct,{},{},0,", seconds_ * 1000, ops, ops * 4096);
    rows_ += ops == 0 ? ",," : fmt::format("100,200,{}", max_ms * 1e3);
    rows_ += fmt::format(",{},{}\n", in_flight, oldest_ms);
  }
  void steady(int seconds) {
    for (int i = 0; i < seconds; ++i) second(1000, 5);
  }
  // Looks of 100 ms from `from_ms` on.
  void looks(double from_ms, int count, std::uint64_t ops, bool stands = false) {
    for (int i = 1; i <= count; ++i)
      looks_ +=
          fmt::format("{},direct,{},4,{}\n", from_ms + i * 100, ops, stands ? i * 100.0 : 2.0);
  }
  Result<JudgedRun> judge(const JudgeWords& words) {
    write("series/loads.csv",
          "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n" + rows_);
    write("series/windows.csv", "start_ms,end_ms,kind,text\n" + windows_);
    if (!looks_.empty())
      write("series/around-001.csv", "t_ms,load,ops,in_flight,oldest_ms\n" + looks_);
    verdict_.duration_s = seconds_;
    write("verdict.json", verdict_json(verdict_));
    auto run = read_run(folder_);
    if (!run) return Failure(run.error());
    return judge_again(std::move(*run), words);
  }
  void own_stall(double onset_ms, double resolved_ms, bool failing) {
    StallEntry stall{.id = "001", .stall_class = "device_stuck"};
    stall.onset_ms = onset_ms;
    stall.detected_ms = onset_ms + 1000;
    stall.resolved_ms = resolved_ms;
    stall.failing = failing;
    stall.sources = {"no-progress"};
    verdict_.stalls.push_back(stall);
  }

  // One that began in the window of a mark.
  void allow(double start_ms, double end_ms, double allow_ms) {
    verdict_.marks.push_back(
        {.text = "failover", .start_ms = start_ms, .end_ms = end_ms, .allow_ms = allow_ms});
  }

  std::string folder_;
  Verdict verdict_;
  int seconds_ = 0;
  std::string rows_, looks_, windows_;
};

TEST_F(JudgeTest, ASteadyLoadIsQuietByEveryThreshold) {
  steady(120);
  const auto judged = judge(
      {.stall_after = 100 * kMillisecond, .fail_after = 100 * kMillisecond, .dropout_below = 0.5});
  ASSERT_TRUE(judged);
  EXPECT_TRUE(judged->stalls.empty());
  EXPECT_TRUE(judged->dropouts.empty());
  EXPECT_TRUE(judged->doubts.empty());
  EXPECT_EQ(judged->outcome.outcome, Outcome::pass);
}

TEST_F(JudgeTest, RowsOfASecondShowAStallTheRunDidNotCallOne) {
  verdict_.stall_after_ms = 10'000;
  steady(20);
  for (int i = 1; i <= 4; ++i) second(0, 0, 4, i * 1000 + 50);
  second(1000, 4500);
  steady(20);
  const auto judged = judge({.stall_after = 3 * kSecond, .fail_after = 4 * kSecond});
  ASSERT_TRUE(judged);
  ASSERT_EQ(judged->stalls.size(), 1U);
  const JudgedStall& stall = judged->stalls[0];
  EXPECT_TRUE(stall.id.empty());
  // It began within the second before the first empty row.
  EXPECT_GE(stall.onset_ms, 19'000);
  EXPECT_LE(stall.onset_ms, 20'400);
  EXPECT_TRUE(stall.is_failing);
  EXPECT_EQ(judged->outcome.exit_code, 1);
}

TEST_F(JudgeTest, AStallThatMayJustHaveFailedIsUnknownAndNeverGreen) {
  verdict_.stall_after_ms = 10'000;
  steady(20);
  for (int i = 1; i <= 4; ++i) second(0, 0, 4, i * 1000 + 50);
  second(1000, 4500);
  steady(20);
  const auto judged = judge({.stall_after = 3 * kSecond, .fail_after = 5 * kSecond});
  ASSERT_TRUE(judged);
  ASSERT_EQ(judged->stalls.size(), 1U);
  EXPECT_FALSE(judged->stalls[0].is_failing);
  EXPECT_EQ(judged->outcome.exit_code, 3);
  // And one that cannot have is not held against the run.
  EXPECT_EQ(judge({.stall_after = 3 * kSecond, .fail_after = 8 * kSecond})->outcome.exit_code, 0);
}

TEST_F(JudgeTest, AnIdleLoadHasNotStalled) {
  steady(20);
  for (int i = 0; i < 10; ++i) second(0, 0, 0, 0);
  steady(20);
  const auto judged = judge({.stall_after = 500 * kMillisecond, .fail_after = kSecond});
  ASSERT_TRUE(judged);
  EXPECT_TRUE(judged->stalls.empty());
  EXPECT_EQ(judged->outcome.exit_code, 0);
}

TEST_F(JudgeTest, OneLongOperationLeavesRoomForAStallAndShortOnesDoNot) {
  steady(20);
  second(900, 800);
  steady(20);
  const JudgeWords half{.stall_after = 500 * kMillisecond, .fail_after = 500 * kMillisecond};
  const auto judged = judge(half);
  ASSERT_TRUE(judged);
  EXPECT_TRUE(judged->stalls.empty());
  ASSERT_EQ(judged->doubts.size(), 1U);
  EXPECT_TRUE(judged->doubts[0].may_fail);
  EXPECT_EQ(judged->outcome.exit_code, 3);
  // By its own threshold the run would have seen it.
  EXPECT_TRUE(judge({})->doubts.empty());
  EXPECT_EQ(judge({})->outcome.exit_code, 0);
}

TEST_F(JudgeTest, ItsOwnIncidentIsJudgedByWhatTheRunMeasured) {
  steady(20);
  second(0, 0, 4, 900);
  second(500, 1300);
  steady(20);
  own_stall(20'050, 21'350, true);
  verdict_.fail_after_ms = 1000;
  verdict_.outcome = Outcome::fail;
  verdict_.exit_code = 1;
  verdict_.reasons = {"stalled: device_stuck (incident 001)"};
  EXPECT_EQ(judge({})->outcome.exit_code, 1);
  // 1.3 s and not a rounded second.
  EXPECT_EQ(judge({.fail_after = 1300 * kMillisecond})->outcome.exit_code, 1);
  const auto judged = judge({.fail_after = 1301 * kMillisecond});
  EXPECT_EQ(judged->outcome.exit_code, 0);
  EXPECT_TRUE(judged->stalls[0].is_stall);
  EXPECT_FALSE(judge({.stall_after = 2 * kSecond})->stalls[0].is_stall);
}

TEST_F(JudgeTest, LooksOf100MsAreJudgedWhereTheyAre) {
  steady(20);
  second(500, 700);
  second(1000, 5);
  steady(20);
  looks(15'000, 52, 100);      // until 20.2 s
  looks(20'200, 6, 0, true);   // nothing for 600 ms
  looks(20'800, 42, 100);      // until 25 s
  own_stall(100, 200, false);  // some other incident: that is why the looks are there
  const auto judged = judge({.stall_after = 500 * kMillisecond});
  ASSERT_TRUE(judged);
  ASSERT_EQ(judged->stalls.size(), 2U);
  EXPECT_NEAR(judged->stalls[1].onset_ms, 20'200, 100);
  EXPECT_NEAR(*judged->stalls[1].resolved_ms, 20'900, 100);
  EXPECT_NEAR(judged->fine_ms, 10'000, 1100);
  EXPECT_EQ(judge({.stall_after = 800 * kMillisecond})->stalls.size(), 1U);
}

TEST_F(JudgeTest, DropoutsAreCountedByTheNewRatio) {
  steady(60);
  for (int i = 0; i < 4; ++i) second(150, 20);
  steady(30);
  EXPECT_TRUE(judge({})->dropouts.empty());
  EXPECT_TRUE(judge({.dropout_below = 0.05})->dropouts.empty());
  const auto judged = judge({.dropout_below = 0.3});
  ASSERT_EQ(judged->dropouts.size(), 1U);
  EXPECT_NEAR(judged->dropouts[0].start_ms, 60'000, 1000);
  EXPECT_NEAR(judged->dropouts[0].duration_ms, 4000, 1000);
  EXPECT_NEAR(judged->dropouts[0].min_ratio, 0.15, 0.03);
  EXPECT_EQ(judged->outcome.exit_code, 0);
  verdict_.max_dropouts = 0;
  EXPECT_EQ(judge({.dropout_below = 0.3})->outcome.exit_code, 1);
}

TEST_F(JudgeTest, WhatTheWatchdogSleptThroughIsNoStall) {
  steady(20);
  for (int i = 1; i <= 3; ++i) second(0, 0, 4, i * 1000 + 50);
  steady(20);
  windows_ = "19900,23100,gap,the watchdog was not run\n";
  verdict_.stall_after_ms = 10'000;
  const JudgeWords words{.stall_after = kSecond, .fail_after = 2 * kSecond};
  EXPECT_TRUE(judge(words)->stalls.empty());
  windows_.clear();
  EXPECT_EQ(judge(words)->stalls.size(), 1U);
}

TEST_F(JudgeTest, NoThresholdMendsWhatWasUnknownOrFailedOtherwise) {
  steady(20);
  verdict_.outcome = Outcome::unknown;
  verdict_.exit_code = 3;
  verdict_.reasons = {"3 records of the kernel log were lost"};
  EXPECT_EQ(judge({.stall_after = 5 * kSecond})->outcome.exit_code, 3);
  verdict_.outcome = Outcome::fail;
  verdict_.exit_code = 1;
  verdict_.reasons = {"7 operations of direct failed"};
  EXPECT_EQ(judge({.stall_after = 5 * kSecond})->outcome.exit_code, 1);
}

TEST_F(JudgeTest, SeriesThatEndEarlyProveNothing) {
  steady(20);
  ASSERT_EQ(judge({})->outcome.exit_code, 0);
  verdict_.duration_s = 60;
  write("verdict.json", verdict_json(verdict_));
  EXPECT_EQ(judge_again(*read_run(folder_), {})->outcome.exit_code, 3);
}

TEST_F(JudgeTest, ARunWithoutSuchSeriesIsSaidAndIsNoVerdict) {
  write("verdict.json", verdict_json(verdict_));
  const auto judged = judge_again(*read_run(folder_), {});
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().origin, Origin::infra);
  EXPECT_NE(judged.error().what.find("series/loads.csv"), std::string::npos);
}

TEST_F(JudgeTest, ARunThatDidNotEndIsUnknown) {
  steady(20);
  ASSERT_TRUE(judge({}));
  fs::remove(folder_ + "/verdict.json");
  const auto judged = judge_again(*read_run(folder_), {});
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->outcome.exit_code, 3);
  EXPECT_NE(judged_text(*judged).find("not known"), std::string::npos);
  EXPECT_TRUE(judged_json(*judged)["before"].is_null());
}

TEST_F(JudgeTest, DamagedRowsAreToldAndMakeItUnknown) {
  steady(20);
  rows_ += "21000,direct,1";
  const auto judged = judge({});
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->outcome.exit_code, 3);
  EXPECT_EQ(judged->notes, std::vector<std::string>{"series/loads.csv: its last line is cut"});
}

TEST_F(JudgeTest, AStallThatAMarkAllowsFailsByNoThreshold) {
  steady(5);
  for (int i = 1; i <= 40; ++i) second(0, 0, 4, i * 1000 + 50);
  second(1000, 40'500);
  steady(20);
  own_stall(5000, 45'500, false);
  allow(4000, 64'000, 50'000);
  EXPECT_EQ(judge({})->outcome.exit_code, 0);
  const auto judged = judge({.fail_after = 2 * kSecond});
  EXPECT_TRUE(judged->stalls[0].is_stall);
  EXPECT_EQ(judged->outcome.exit_code, 0);
  verdict_.marks[0].allow_ms = 40'000;
  EXPECT_EQ(judge({})->outcome.exit_code, 1);
  verdict_.marks[0] = {.text = "later", .start_ms = 6000, .end_ms = 64'000, .allow_ms = 50'000};
  EXPECT_EQ(judge({})->outcome.exit_code, 1);
}

TEST_F(JudgeTest, AMarkAllowsWhatOnlyTheSeriesShow) {
  verdict_.stall_after_ms = 10'000;
  steady(20);
  for (int i = 1; i <= 4; ++i) second(0, 0, 4, i * 1000 + 50);
  second(1000, 4500);
  steady(20);
  const JudgeWords words{.stall_after = 3 * kSecond, .fail_after = 3 * kSecond};
  ASSERT_EQ(judge(words)->outcome.exit_code, 1);
  allow(15'000, 30'000, 8'000);
  EXPECT_EQ(judge(words)->outcome.exit_code, 0);
  // What may have begun before the window may have failed.
  verdict_.marks[0].start_ms = 20'000;
  EXPECT_NE(judge(words)->outcome.exit_code, 0);
}

TEST_F(JudgeTest, ARunThatWasKilledKeepsItsVerdictAndNeverPasses) {
  steady(20);
  own_stall(18'000, 0, false);
  verdict_.stalls[0].resolved_ms.reset();
  verdict_.outcome = Outcome::unknown;
  verdict_.exit_code = 3;
  verdict_.reasons = {"controller_died: killed"};
  verdict_.observer.blind_spots = {kDidNotReachItsEnd};
  EXPECT_EQ(judge({})->outcome.exit_code, 3);
  EXPECT_EQ(judge({.fail_after = kSecond})->outcome.exit_code, 1);
  verdict_.stalls[0].resolved_ms = 18'900;
  verdict_.stalls[0].failing = true;
  verdict_.outcome = Outcome::fail;
  EXPECT_EQ(judge({.fail_after = 60 * kSecond})->outcome.exit_code, 3);
}

TEST_F(JudgeTest, OldAndNewStandSideBySide) {
  steady(20);
  own_stall(5000, 6500, false);
  const auto judged = judge({.stall_after = 500 * kMillisecond, .fail_after = kSecond});
  ASSERT_TRUE(judged);
  const std::string text = judged_text(*judged);
  EXPECT_NE(text.find("verdict                    pass                     fail"),
            std::string::npos)
      << text;
  const auto json = judged_json(*judged);
  EXPECT_EQ(json["before"]["verdict"], "pass");
  EXPECT_EQ(json["after"]["verdict"], "fail");
  EXPECT_EQ(json["stalls"][0]["before"], "stall");
  EXPECT_EQ(json["stalls"][0]["after"], "failing");
}

}  // namespace
}  // namespace stallproof
