// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge.h"

#include <gtest/gtest.h>

#include "harness/merge/merge_words.h"
#include "harness/merge/testing/made_fleet.h"

namespace stallproof {
namespace {

std::vector<NodeResult> good_results(int count) {
  std::vector<NodeResult> results;
  for (int i = 1; i <= count; ++i) results.push_back(good_result("n" + std::to_string(i)));
  return results;
}

NodeResult missing_result(const std::string& node) {
  NodeResult result;
  result.node = node;
  result.directory = "/results/" + node;
  result.problem = "missing: /results/" + node + ": No such file or directory";
  return result;
}

std::string refused(std::vector<NodeResult> results, const MergeOptions& options) {
  const auto merged = merge_nodes(std::move(results), options);
  EXPECT_FALSE(merged);
  return merged ? "" : merged.error().what;
}

TEST(Merge, GreenNeedsEveryExpectedNode) {
  const Merged merged = merged_of(good_results(20), "n[1-20]");
  EXPECT_EQ(merged.exit_code, 0);
  EXPECT_EQ(merged.counted, 20U);
  EXPECT_DOUBLE_EQ(merged.node_hours, 200);
  ASSERT_TRUE(merged.rate_bound);
  EXPECT_NEAR(*merged.rate_bound, 2.9957 / 200, 1e-5);
  EXPECT_EQ(merge_sentence(merged),
            "PASS build 3.2.1: 20 of 20 nodes counted, 0 failing stalls in 200 node-hours, at most "
            "0.015 per node-hour (95 %)");
}

TEST(Merge, AMissingNodeIsNeverGreen) {
  const Merged merged = merged_of(good_results(2), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.nodes[2].standing, Standing::missing);
  EXPECT_EQ(merged.doubts.at(0).node, "n3");
  EXPECT_EQ(merged.doubts.at(0).what, "missing: none of the 2 results is its own");
}

TEST(Merge, AMissingDirectoryIsTheMissingNodesOwn) {
  auto results = good_results(2);
  results.push_back(missing_result("n3"));
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_NE(merged.nodes[2].why.find("No such file"), std::string::npos);
}

TEST(Merge, ANodeThatDiedFailsAndItsStallsCount) {
  auto results = good_results(3);
  results[1].died = true;
  results[1].verdict.outcome = Outcome::unknown;
  results[1].verdict.reasons = {"node_died, vmcore=/var/crash/202611262305"};
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_EQ(merged.outcome, Outcome::fail);
  EXPECT_EQ(merged.failures.at(0).what, "node_died, vmcore=/var/crash/202611262305");
  EXPECT_DOUBLE_EQ(merged.node_hours, 20);
}

TEST(Merge, ANodeThatTheLauncherSawDieNeedsNoResultToFail) {
  MergeOptions options{.expected = {"n1", "n2", "n3"}, .died = {"n3"}};
  const auto merged = merge_nodes(good_results(2), options);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->exit_code, 1);
  EXPECT_TRUE(merged->failures.at(0).what.starts_with("node_died: "));
  options.died = {"n4"};
  EXPECT_NE(refused(good_results(2), options).find("n4 is not among"), std::string::npos);
}

TEST(Merge, AnUnfinishedRunIsUnknownAndTheStallsItHadWrittenDownFail) {
  auto results = good_results(3);
  results[2].state = NodeState::unfinished;
  results[2].problem = "unfinished: no verdict";
  EXPECT_EQ(merged_of(results, "n[1-3]").exit_code, 3);
  add_stall(results[2].verdict, 5000);
  results[2].stalls = results[2].failing_stalls = 1;
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_EQ(merged.failing_stalls, 1U);
  EXPECT_DOUBLE_EQ(merged.node_hours, 20);
}

TEST(Merge, AnUnknownNodeMakesItUnknownAndAFailedOneIsWorthMore) {
  auto results = good_results(3);
  results[0].verdict.outcome = Outcome::unknown;
  results[0].verdict.reasons = {"interrupted: SIGTERM"};
  Merged merged = merged_of(results, "n[1-3]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.doubts.at(0).what, "its verdict is unknown: interrupted: SIGTERM");
  results[1].verdict.outcome = Outcome::fail;
  results[1].verdict.reasons = {"3 dropouts, at most 2 are allowed"};
  merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_EQ(finding_words(merged.failures.at(0)), "n2: 3 dropouts, at most 2 are allowed");
}

TEST(Merge, ADamagedResultIsNeverGreen) {
  auto results = good_results(2);
  results[1].state = NodeState::damaged;
  results[1].problem = "damaged: verdict.json: cut";
  const Merged merged = merged_of(std::move(results), "n[1-2]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.nodes[1].standing, Standing::damaged);
}

TEST(Merge, WrongDataFailsWhateverTheNodeSays) {
  auto results = good_results(2);
  results[1].verdict.workloads["direct"].mismatches = 2;
  const Merged merged = merged_of(std::move(results), "n[1-2]");
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_NE(merged.failures.at(0).what.find("corruption"), std::string::npos);
}

TEST(Merge, TwoResultsOfOneNodeAreRefusedByBothPlaces) {
  auto results = good_results(2);
  results.push_back(good_result("n1.lab.example"));
  results.back().directory = "/results/again";
  const std::string told = refused(std::move(results), {.expected = {"n1", "n2"}});
  EXPECT_NE(told.find("/results/n1 and /results/again"), std::string::npos) << told;
}

TEST(Merge, NoResultAtAllIsAMistakeOfTheCaller) {
  EXPECT_NE(refused({missing_result("n1")}, {.expected = {"n1"}}).find("no result at all"),
            std::string::npos);
  EXPECT_NE(refused({}, {.expected = {"n1"}}).find("no result at all"), std::string::npos);
}

TEST(Merge, ANodeThatNobodyExpectedIsRefusedAndNeverGreen) {
  const Merged merged = merged_of(good_results(3), "n[1-2]");
  EXPECT_EQ(merged.exit_code, 3);
  ASSERT_EQ(merged.nodes.size(), 3U);
  EXPECT_EQ(merged.nodes[2].standing, Standing::refused);
  EXPECT_EQ(merged.doubts.at(0).what, "refused: it is not among --expect-nodes");
}

TEST(Merge, ANodeIsFoundWithAndWithoutItsDomain) {
  EXPECT_EQ(merged_of({good_result("n1.lab.example"), good_result("n2")}, "n1,n2.lab").exit_code,
            0);
}

TEST(Merge, StallsThatBeganTogetherAreOneSentence) {
  std::vector<NodeResult> results;
  for (int i = 1; i <= 5; ++i)
    results.push_back(good_result("n" + std::to_string(i), [i](Verdict& verdict) {
      if (i < 5) add_stall(verdict, 60'000 + 100 * (i - 1));
    }));
  const Merged merged = merged_of(std::move(results), "n[1-5]");
  EXPECT_EQ(merged.exit_code, 1);
  EXPECT_TRUE(merged.failures.empty());
  ASSERT_EQ(merged.together.size(), 1U);
  EXPECT_EQ(together_words(merged, merged.together[0]),
            std::string("4 nodes stalled within 300 ms, same signature ") + kFleetSignature);
  EXPECT_EQ(names_words(node_names(merged, merged.together[0])), "n1, n2, n3, n4");
}

TEST(Merge, StallsOfNodesThatBeganAtOtherTimesAreComparedByTheWallClock) {
  const auto stalled = [](const std::string& node, const std::string& started, double onset_ms) {
    return good_result(node, [&](Verdict& verdict) {
      verdict.started = started;
      add_stall(verdict, onset_ms);
    });
  };
  const Merged merged = merged_of({stalled("n1", "2026-11-26T18:00:00.000+00:00", 100'000),
                                   stalled("n2", "2026-11-26T19:01:00.000+01:00", 40'200)},
                                  "n[1-2]");
  ASSERT_EQ(merged.together.size(), 1U);
  EXPECT_DOUBLE_EQ(onset_ms_of(merged, merged.together[0].front()), 100'000);
  EXPECT_DOUBLE_EQ(onset_ms_of(merged, merged.together[0].back()), 100'200);
}

TEST(Merge, TheMeasuredOffsetOfAClockIsTakenAway) {
  std::vector<NodeResult> results{coordinated_result("n1", 0, 2, 0),
                                  coordinated_result("n2", 1, 2, 400)};
  for (NodeResult& result : results) {
    add_stall(result.verdict, 10'000);
    result.stalls = result.failing_stalls = 1;
  }
  const Merged merged = merged_of(std::move(results), "n[1-2]");
  ASSERT_EQ(merged.together.size(), 1U);
  EXPECT_DOUBLE_EQ(merged.together[0].back().onset_ms - merged.together[0].front().onset_ms, 400);
  ASSERT_TRUE(merged.start_skew_ms);
  EXPECT_DOUBLE_EQ(*merged.start_skew_ms, 400);
  EXPECT_DOUBLE_EQ(*merged.clocks_apart_ms, 400);
}

TEST(Merge, ClocksMoreThanASecondApartAreAnErrorInACoordinatedRun) {
  const Merged merged = merged_of(
      {coordinated_result("n1", 0, 2, 0), coordinated_result("n2", 1, 2, -2500)}, "n[1-2]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.nodes[1].standing, Standing::refused);
  EXPECT_EQ(merged.nodes[1].why,
            "refused: its clock is -2.500 s (± 0.020 s) from that of n1: more than 1 s in a "
            "coordinated run");
}

TEST(Merge, AClockThatCouldNotBeMeasuredIsANoteAndNoReproach) {
  std::vector<NodeResult> results{coordinated_result("n1", 0, 2, 0),
                                  coordinated_result("n2", 1, 2, 0)};
  results[1].coordination->offset_ms.reset();
  const Merged merged = merged_of(std::move(results), "n[1-2]");
  EXPECT_EQ(merged.exit_code, 0);
  EXPECT_EQ(merged.notes.size(), 1U);
}

TEST(Merge, ACoordinatedRunOfMoreNodesThanAreExpectedIsNotGreen) {
  const Merged merged =
      merged_of({coordinated_result("n1", 0, 3, 0), coordinated_result("n2", 1, 3, 0)}, "n[1-2]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.doubts.at(0).what, "the coordinated run was of 3 nodes, 2 are expected");
}

TEST(Merge, AResultOfAnotherNightIsPointedAt) {
  auto results = good_results(3);
  results[2].started_ms = *results[2].started_ms - 24LL * 3600 * 1000;
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  ASSERT_FALSE(merged.doubts.empty());
  EXPECT_EQ(merged.doubts[0].node, "n3");
  EXPECT_NE(merged.doubts[0].what.find("another night"), std::string::npos);
  EXPECT_EQ(merged.exit_code, 3);
}

}  // namespace
}  // namespace stallproof
