// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "harness/merge/testing/made_fleet.h"

namespace stallproof {
namespace {

// n1 and n3 are alike, n2 is changed; the words it is refused by.
std::string refused_for(const std::function<void(NodeResult& result)>& change) {
  std::vector<NodeResult> results{good_result("n1"), good_result("n2"), good_result("n3")};
  change(results[1]);
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.nodes[0].standing, Standing::counted);
  EXPECT_EQ(merged.nodes[1].standing, Standing::refused);
  EXPECT_EQ(merged.nodes[2].standing, Standing::counted);
  EXPECT_EQ(merged.counted, 2U);
  EXPECT_EQ(merged.doubts.size(), 1U);
  return merged.doubts.empty() ? "" : merged.doubts[0].node + ": " + merged.doubts[0].what;
}

TEST(Unlike, AnotherBuildIsRefusedByName) {
  EXPECT_EQ(refused_for([](NodeResult& result) { result.verdict.labels["build"] = "3.2.0"; }),
            "n2: refused: build: '3.2.0', not '3.2.1', as on 2 others");
}

TEST(Unlike, ABuildThatIsNotToldIsAnotherOne) {
  EXPECT_EQ(refused_for([](NodeResult& result) { result.verdict.labels.clear(); }),
            "n2: refused: build: 'no label', not '3.2.1', as on 2 others");
}

TEST(Unlike, AnotherVersionOfStallproofIsRefused) {
  EXPECT_EQ(refused_for([](NodeResult& result) { result.verdict.tool_version = "0.0.9"; }),
            "n2: refused: stallproof: '0.0.9', not '0.1.0', as on 2 others");
}

TEST(Unlike, AnotherPlanIsRefusedByItsFirstDifference) {
  EXPECT_EQ(refused_for([](NodeResult& result) { result.plan["plan: plan.duration"] = "1h"; }),
            "n2: refused: plan: plan.duration: '1h', not '10h', as on 2 others");
  EXPECT_EQ(refused_for([](NodeResult& result) { result.plan.clear(); }),
            "n2: refused: plan: plan.duration: nothing, not '10h', as on 2 others");
}

TEST(Unlike, WhatTheCommandLineSetBesideThePlanIsCompared) {
  EXPECT_NE(refused_for([](NodeResult& result) {
              result.verdict.fail_after_ms = 60'000;
            }).find("fail-after: '60000 ms', not '30000 ms'"),
            std::string::npos);
  EXPECT_NE(refused_for([](NodeResult& result) {
              result.verdict.target_fstype = "ext4";
            }).find("'ext4', not 'ffs'"),
            std::string::npos);
}

TEST(Unlike, AModuleOfAnotherSourceUnderTheSameKernelIsAnotherBuild) {
  const auto with_module = [](const std::string& node, const std::string& source,
                              const std::string& kernel) {
    return good_result(node, [&](Verdict& verdict) {
      verdict.kernel = kernel;
      verdict.target_modules = {{"ffs", "3.2.1", source}};
    });
  };
  const Merged merged =
      merged_of({with_module("n1", "AAAA", "6.18"), with_module("n2", "BBBB", "6.18"),
                 with_module("n3", "AAAA", "6.18"), with_module("n4", "CCCC", "6.1")},
                "n[1-4]");
  EXPECT_EQ(merged.nodes[1].standing, Standing::refused);
  EXPECT_EQ(merged.nodes[3].standing, Standing::counted);
  EXPECT_EQ(merged.exit_code, 3);
}

TEST(Unlike, ARefusedNodesStallsAreNotThisBuildsButAreTold) {
  std::vector<NodeResult> results{good_result("n1"), good_result("n3")};
  results.push_back(good_result("n2", [](Verdict& verdict) {
    verdict.labels["build"] = "3.2.0";
    add_stall(verdict, 1000);
  }));
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.exit_code, 3);
  EXPECT_EQ(merged.failing_stalls, 0U);
  EXPECT_NE(merged.doubts.at(0).what.find("it had 1 failing stalls"), std::string::npos);
}

TEST(Unlike, WhatDiffersFromRunToRunAnywayIsAllowed) {
  NodeResult other = good_result("n2", [](Verdict& verdict) {
    verdict.settings["seed"] = "7";
    verdict.labels["rig"] = "b";
    verdict.target_path = "/mnt/other";
    verdict.kernel = "6.1";
  });
  EXPECT_EQ(merged_of({good_result("n1"), other}, "n[1-2]").exit_code, 0);
}

TEST(Unlike, ANodeThatDiedIsComparedByWhatItsPostmortemKnows) {
  NodeResult dead = good_result("n2");
  dead.died = true;
  dead.verdict.outcome = Outcome::unknown;
  dead.verdict.reasons = {"node_died_no_vmcore: it booted since"};
  dead.verdict.target_fstype.clear();
  dead.verdict.fail_after_ms = 1000;
  const Merged merged = merged_of({good_result("n1"), dead}, "n[1-2]");
  EXPECT_EQ(merged.nodes[1].standing, Standing::died);
  EXPECT_EQ(merged.exit_code, 1);
}

TEST(Unlike, ResultsOfAnotherJobAreRefused) {
  std::vector<NodeResult> results{coordinated_result("n1", 0, 3, 0),
                                  coordinated_result("n2", 1, 3, 1),
                                  coordinated_result("n3", 2, 3, 2)};
  results[1].coordination->job = "76.0";
  const Merged merged = merged_of(std::move(results), "n[1-3]");
  EXPECT_EQ(merged.nodes[1].standing, Standing::refused);
  EXPECT_NE(merged.nodes[1].why.find("its job: '76.0', not '77.0'"), std::string::npos);
}

TEST(Unlike, ARunOfItsOwnAmongCoordinatedOnesIsRefused) {
  const Merged merged = merged_of(
      {coordinated_result("n1", 0, 3, 0), good_result("n2"), coordinated_result("n3", 2, 3, 2)},
      "n[1-3]");
  EXPECT_EQ(merged.nodes[1].standing, Standing::refused);
  EXPECT_NE(merged.nodes[1].why.find("coordinated: 'no', not 'yes'"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
