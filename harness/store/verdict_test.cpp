// SPDX-License-Identifier: Apache-2.0
#include "harness/store/verdict.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

TEST(VerdictJson, HoldsEveryKeyOfTheContract) {
  const auto document = nlohmann::json::parse(verdict_json({}));
  for (const char* key :
       {"schema",      "run",          "verdict",      "exit_code", "reasons",    "labels",
        "node",        "kernel",       "tool_version", "target",    "thresholds", "started",
        "ended",       "duration_s",   "stalls",       "dropouts",  "hazard",     "observer",
        "left_behind", "command_exit", "workloads",    "captures",  "marks",      "notes"})
    EXPECT_TRUE(document.contains(key)) << key;
  EXPECT_EQ(document["verdict"], "unknown");
  EXPECT_TRUE(document["hazard"].is_null());
}

TEST(VerdictJson, UnresolvedStallHasNullAndNotZero) {
  Verdict verdict;
  verdict.stalls.push_back({.id = "001", .stall_class = "mmap_lock_cycle"});
  auto document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_TRUE(document["stalls"][0]["resolved_ms"].is_null());
  verdict.stalls[0].resolved_ms = 12.5;
  document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_EQ(document["stalls"][0]["resolved_ms"], 12.5);
}

TEST(VerdictJson, StallMadeOnPurposeIsNoStallAndSaysWhatItProves) {
  Verdict verdict;
  auto document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_TRUE(document["observer"]["canary"].is_null());
  CanaryLookEntry look{.stall_class = "mmap_lock_cycle", .detected_ms = 1000.5, .passed = true};
  verdict.observer.canary = {
      .passed = true, .fault = "mmap-lock-fault", .place = "a FUSE mount of its own"};
  verdict.observer.canary->looks = {{"before", look}, {"after", look}};
  document = nlohmann::json::parse(verdict_json(verdict));
  auto canary = document["observer"]["canary"];
  EXPECT_EQ(canary["passed"], true);
  EXPECT_NE(canary["proves"].get<std::string>().find("not that a stall of another"),
            std::string::npos);
  EXPECT_EQ(canary["before"]["class"], "mmap_lock_cycle");
  EXPECT_EQ(canary["after"]["detected_ms"], 1000.5);
  EXPECT_TRUE(canary["after"]["resolved_ms"].is_null());
  EXPECT_TRUE(document["stalls"].empty());
  verdict.observer.canary->passed = false;
  verdict.observer.canary->problem = "after the load it was not detected";
  canary = nlohmann::json::parse(verdict_json(verdict))["observer"]["canary"];
  EXPECT_EQ(canary["passed"], false);
  EXPECT_EQ(canary["proves"], "nothing: it did not pass");
  EXPECT_EQ(canary["problem"], "after the load it was not detected");
}

TEST(VerdictJson, WhatWasNotTakenOfAnIncidentIsSaid) {
  Verdict verdict;
  auto document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_EQ(document["captures"]["policy"], "report");
  EXPECT_TRUE(document["captures"]["problems"].empty());
  EXPECT_TRUE(document["captures"]["crash"].is_null());
  verdict.captures = {.policy = "panic",
                      .taken = 4,
                      .problems = {"incident 001: sysrq.txt: this kernel has no sysrq"},
                      .crash = "not crashed: no failing stall"};
  document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_EQ(document["captures"]["problems"][0], verdict.captures.problems[0]);
  EXPECT_EQ(document["captures"]["crash"], "not crashed: no failing stall");
}

TEST(VerdictJson, ThresholdsSayWhatTheyLetPass) {
  Verdict verdict;
  verdict.stall_after_ms = 1000;
  verdict.fail_after_ms = 30000;
  verdict.dropout_below = 0.1;
  const auto passing = [&verdict] {
    const auto document = nlohmann::json::parse(verdict_json(verdict));
    return document["thresholds"]["lets_pass"].get<std::vector<std::string>>();
  };
  EXPECT_EQ(passing(), (std::vector<std::string>{
                           "no completion for less than 1 s", "a stall that resolves within 30 s",
                           "throughput down to 10 % of its median",
                           "any dropout below that, which is counted and shown"}));
  verdict.fail_after_ms = 1000;
  verdict.max_dropouts = 2;
  EXPECT_EQ(passing().back(), "2 dropouts below that");
  EXPECT_EQ(passing().size(), 3U);
}

TEST(VerdictJson, ALoadsOwnThresholdsSayWhatTheyLetPass) {
  Verdict verdict;
  verdict.stall_after_ms = verdict.fail_after_ms = 1000;
  auto document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_TRUE(document["thresholds"]["loads"].empty());
  verdict.load_thresholds["slow"] = {.stall_after_ms = 30000, .fail_after_ms = 60000};
  document = nlohmann::json::parse(verdict_json(verdict));
  EXPECT_EQ(document["thresholds"]["loads"]["slow"]["stall_after_ms"], 30000.0);
  EXPECT_EQ(document["thresholds"]["loads"]["slow"]["lets_pass"][0],
            "no completion for less than 30 s");
}

TEST(VerdictJson, ForeignBytesDoNotBreakTheDocument) {
  Verdict verdict;
  verdict.node = "n\xff\"\n";
  EXPECT_TRUE(nlohmann::json::accept(verdict_json(verdict)));
}

}  // namespace
}  // namespace stallproof
