// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/node_result.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <stdexcept>

#include "harness/base/file.h"
#include "harness/merge/each_index.h"
#include "harness/merge/testing/made_fleet.h"

namespace stallproof {
namespace {

TEST(NodeResult, AFinishedRunIsReadWithItsPlanAndItsTime) {
  const MadeFleet fleet;
  fleet.put_node("n1", [](Verdict& verdict) { add_stall(verdict, 5000); });
  const NodeResult result = read_node_result(fleet.path("n1"), {});
  EXPECT_EQ(result.state, NodeState::finished);
  EXPECT_EQ(result.node, "n1");
  EXPECT_EQ(result.failing_stalls, 1U);
  EXPECT_EQ(result.plan.at("plan: plan.duration"), "10h");
  ASSERT_TRUE(result.started_ms);
  EXPECT_EQ(*result.started_ms, 1'795'716'000'000);
  EXPECT_FALSE(result.died);
}

TEST(NodeResult, ARunWithoutAVerdictIsNamedByItsManifestAndSaysWhatItHadSeen) {
  const MadeFleet fleet;
  fleet.put_unfinished("n2");
  const NodeResult result =
      read_node_result(fleet.path("n2"), [](const std::string&, Verdict& verdict) {
        verdict.duration_s = 12;
        add_stall(verdict, 7000);
      });
  EXPECT_EQ(result.state, NodeState::unfinished);
  EXPECT_EQ(result.node, "n2");
  EXPECT_EQ(result.verdict.labels.at("build"), "3.2.1");
  EXPECT_EQ(result.failing_stalls, 1U);
  EXPECT_NE(result.problem.find("stallproof postmortem"), std::string::npos);
  EXPECT_TRUE(result.started_ms);
}

TEST(NodeResult, ATruncatedVerdictIsDamageAndNeverAPass) {
  const MadeFleet fleet;
  fleet.put_node("n1");
  const std::string whole = *read_file(fleet.path("n1/verdict.json"));
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, whole.size() / 2}) {
    fleet.put("n1/verdict.json", whole.substr(0, length));
    const NodeResult result = read_node_result(fleet.path("n1"), {});
    EXPECT_EQ(result.state, NodeState::damaged) << length;
    EXPECT_EQ(result.node, "n1");
    EXPECT_NE(result.problem.find("verdict.json"), std::string::npos);
  }
}

TEST(NodeResult, DamageBesideTheVerdictIsANote) {
  const MadeFleet fleet;
  fleet.put_node("n1");
  fleet.put("n1/env.json", "{\"node\":");
  fleet.put("n1/manifest.json", "[]");
  const NodeResult result = read_node_result(fleet.path("n1"), {});
  EXPECT_EQ(result.state, NodeState::finished);
  EXPECT_EQ(result.notes.size(), 2U);
}

TEST(NodeResult, NothingAtAllIsMissingUnderTheDirectorysName) {
  const MadeFleet fleet;
  fleet.put("n3/core", "");
  for (const char* name : {"n3", "n4"}) {
    const NodeResult result = read_node_result(fleet.path(name), {});
    EXPECT_EQ(result.state, NodeState::missing);
    EXPECT_EQ(result.node, name);
    EXPECT_TRUE(result.problem.starts_with("missing: ")) << result.problem;
  }
  EXPECT_EQ(read_node_result(fleet.path("n4") + "///", {}).node, "n4");
  EXPECT_EQ(read_node_result("", {}).state, NodeState::missing);
}

TEST(NodeResult, APipeInThePlaceOfAFileHoldsNothingUpAndIsNoPass) {
  const MadeFleet fleet;
  fleet.put_unfinished("n1");
  ASSERT_EQ(::mkfifo(fleet.path("n1/verdict.json").c_str(), 0600), 0);
  bool asked = false;
  const NodeResult result =
      read_node_result(fleet.path("n1"), [&asked](const std::string&, Verdict&) { asked = true; });
  EXPECT_EQ(result.state, NodeState::unfinished);
  EXPECT_FALSE(asked);
  EXPECT_EQ(result.notes.size(), 1U);
}

TEST(NodeResult, APostmortemThatFoundTheMachineDeadIsTold) {
  const MadeFleet fleet;
  for (const char* reason : {"node_died, vmcore=/var/crash/1 (tied by the boot)",
                             "node_died_no_vmcore: it booted since", "dump_failed: incomplete"}) {
    fleet.put_node("n1", [reason](Verdict& verdict) {
      verdict.outcome = Outcome::unknown;
      verdict.reasons = {reason};
    });
    EXPECT_TRUE(read_node_result(fleet.path("n1"), {}).died) << reason;
  }
  fleet.put_node("n1", [](Verdict& verdict) {
    verdict.outcome = Outcome::unknown;
    verdict.reasons = {"controller_died: killed"};
  });
  EXPECT_FALSE(read_node_result(fleet.path("n1"), {}).died);
}

TEST(NodeResult, OfThousandsOfStallsTheGravestAreKeptAndAllAreCounted) {
  const MadeFleet fleet;
  fleet.put_node("n1", [](Verdict& verdict) {
    for (int i = 0; i < 900; ++i) {
      add_stall(verdict, i * 1000.0);
      verdict.stalls.back().failing = i == 700;
      verdict.stalls.back().resolved_ms = i * 1000.0 + i;
    }
    verdict.stalls_not_listed = 5000;
  });
  const NodeResult result = read_node_result(fleet.path("n1"), {});
  EXPECT_EQ(result.stalls, 5900U);
  EXPECT_EQ(result.failing_stalls, 1U);
  ASSERT_EQ(result.verdict.stalls.size(), kKeptOfNode);
  EXPECT_DOUBLE_EQ(result.verdict.stalls[0].onset_ms, 700'000);
  EXPECT_DOUBLE_EQ(result.verdict.stalls[1].onset_ms, 899'000);
}

TEST(NodeResult, TheVerdictOfAMergeIsNoNodes) {
  const MadeFleet fleet;
  fleet.put_node("n1", [](Verdict& verdict) {
    verdict.fleet.nodes.push_back({.node = "n7", .standing = "counted"});
  });
  EXPECT_EQ(read_node_result(fleet.path("n1"), {}).state, NodeState::damaged);
}

TEST(NodeResult, ManyAreReadInTheirOrder) {
  const MadeFleet fleet;
  std::vector<std::string> directories;
  for (int i = 0; i < 40; ++i) {
    const std::string node = "n" + std::to_string(i);
    if (i % 4 != 0) fleet.put_node(node);
    directories.push_back(fleet.path(node));
  }
  const auto results = read_node_results(directories, {});
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].node, "n" + std::to_string(i));
    EXPECT_EQ(results[i].state, i % 4 == 0 ? NodeState::missing : NodeState::finished);
  }
}

TEST(ForEachIndex, EveryIndexIsTakenOnce) {
  std::vector<std::atomic<int>> taken(1000);
  for_each_index(taken.size(), [&taken](std::size_t i) { ++taken[i]; });
  for (const auto& each : taken) EXPECT_EQ(each, 1);
  for_each_index(0, [](std::size_t) { FAIL(); });
}

TEST(ForEachIndex, WhatIsThrownArrives) {
  EXPECT_THROW(for_each_index(100,
                              [](std::size_t i) {
                                if (i == 50) throw std::runtime_error("no memory");
                              }),
               std::runtime_error);
}

}  // namespace
}  // namespace stallproof
