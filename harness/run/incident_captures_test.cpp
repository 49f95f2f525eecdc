// SPDX-License-Identifier: Apache-2.0
#include "harness/run/incident_captures.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/run/crash_on_stall.h"
#include "harness/run/plan/plan.h"

namespace stallproof {
namespace {

class IncidentCapturesTest : public testing::Test {
 protected:
  IncidentCapturesTest()
      : folder_(make_folder()),
        lens_(*LiveLens::open({})),
        run_(*RunDir::create({.out = folder_,
                              .name_stem = "captures",
                              .labels = {},
                              .thresholds = run_thresholds({.fail_after = 7 * kSecond})})),
        evidence_(*Evidence::create()),
        book_({.lens = lens_,
               .run = run_,
               .evidence = evidence_,
               .load_names = [] { return std::vector<std::string>{"fio-1"}; },
               .conclusive = [](const Explanation&) { return false; }}) {}
  ~IncidentCapturesTest() override { std::filesystem::remove_all(folder_); }

  static std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "captures-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  IncidentRecord& open() {
    return book_.open({.kind = WatchEventKind::incident_opened,
                       .incident = 7,
                       .at_ns = 2 * kSecond,
                       .since_ns = kSecond});
  }
  void serve_until_all_is_taken(IncidentCaptures& captures) {
    const Deadline deadline = Deadline::in(10 * kSecond);
    do captures.serve({.run = run_, .book = book_});
    while (captures.needs_the_stall() && !deadline.passed());
  }
  [[nodiscard]] std::string kept(const std::string& file) const {
    const auto text = read_file(folder_ + "/incidents/001/" + file);
    return text ? *text : "";
  }

  std::string folder_;
  LiveLens lens_;
  RunDir run_;
  Evidence evidence_;
  IncidentBook book_;
  Console console_{Console::Options{.quiet = true}};
};

TEST_F(IncidentCapturesTest, TheMachineAtThatMomentIsKeptWithEveryIncident) {
  auto captures = IncidentCaptures::create({}, run_, console_);
  ASSERT_TRUE(captures);
  captures->begin(open());
  serve_until_all_is_taken(*captures);
  EXPECT_TRUE(captures->finish(run_).empty());
  EXPECT_NE(kept("memory.txt").find("MemTotal"), std::string::npos);
  EXPECT_NE(kept("diskstats.txt").find("==> /proc/diskstats"), std::string::npos);
  EXPECT_NE(kept("sources.json").find("fuse.txt"), std::string::npos);
  EXPECT_EQ(kept("sysrq.txt"), "");
  EXPECT_EQ(captures->entry().policy, "report");
  EXPECT_EQ(captures->entry().crash, "");
  EXPECT_GE(captures->entry().taken, 4U);
}

TEST_F(IncidentCapturesTest, ACanarysCapturesLeaveWhatTheRunSaysOfItself) {
  auto captures = IncidentCaptures::create({.on_stall = OnStall::sysrq}, run_, console_);
  ASSERT_TRUE(captures);
  const auto before = read_file(folder_ + "/manifest.json");
  ASSERT_TRUE(before);
  EXPECT_NE(before->find("\"fail_after_ms\": 7000"), std::string::npos) << *before;
  {
    auto canary = IncidentCaptures::of_canary(console_);
    canary.begin(open());
    serve_until_all_is_taken(canary);
    EXPECT_TRUE(canary.finish(run_).empty());
    EXPECT_GE(canary.entry().taken, 4U);
  }
  EXPECT_EQ(*read_file(folder_ + "/manifest.json"), *before);
}

TEST_F(IncidentCapturesTest, WhatTheEndOfTheRunCutsOffIsSaidInTheIncident) {
  auto captures = IncidentCaptures::create({}, run_, console_);
  ASSERT_TRUE(captures);
  captures->begin(open());
  EXPECT_TRUE(captures->finish(run_).empty());
  EXPECT_NE(kept("sources.json").find("the run ended before"), std::string::npos);
  EXPECT_TRUE(captures->entry().problems.empty());
}

TEST_F(IncidentCapturesTest, AStallThatResolvedIsNotAskedOfTheKernelAndThatFailsNothing) {
  auto captures = IncidentCaptures::create({.on_stall = OnStall::sysrq}, run_, console_);
  ASSERT_TRUE(captures);
  IncidentRecord& incident = open();
  captures->begin(incident);
  incident.resolved_ns = 3 * kSecond;
  serve_until_all_is_taken(*captures);
  EXPECT_TRUE(captures->finish(run_).empty());
  ASSERT_EQ(captures->entry().problems.size(), 1U);
  EXPECT_NE(captures->entry().problems[0].find("incident 001: sysrq.txt: "), std::string::npos);
}

TEST(CheckPolicy, ACrashNeedsBothWords) {
  EXPECT_TRUE(check_policy({}, ""));
  EXPECT_TRUE(check_policy({.on_stall = OnStall::sysrq}, ""));
  const auto alone = check_policy({.on_stall = OnStall::sysrq, .allow_crash = true}, "");
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().origin, Origin::user);
  const auto without = check_policy({.on_stall = OnStall::panic}, "");
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().origin, Origin::user);
  EXPECT_NE(without.error().what.find("--allow-crash"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
