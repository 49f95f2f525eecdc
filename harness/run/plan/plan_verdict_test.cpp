// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_verdict.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

StallEntry stall(bool failing) {
  StallEntry entry;
  entry.id = "001";
  entry.stall_class = "mmap_lock_cycle";
  entry.failing = failing;
  return entry;
}

TEST(PlanVerdict, NothingToReportIsAPass) {
  EXPECT_EQ(judge_plan({}).exit_code, 0);
  EXPECT_EQ(judge_plan({}).outcome, Outcome::pass);
}

TEST(PlanVerdict, FailingStallFailsAndAResolvedOneDoesNot) {
  EXPECT_EQ(judge_plan({.stalls = {stall(true)}}).exit_code, 1);
  EXPECT_EQ(judge_plan({.stalls = {stall(false)}}).exit_code, 0);
  EXPECT_EQ(judge_plan({.stalls = {stall(false)}, .until_stall = true}).exit_code, 1);
}

TEST(PlanVerdict, ALostProcessIsUnknownUnlessSomethingFailed) {
  const PlanOutcome lost = judge_plan({.lost = {"process two ended in mid-run: exit 3"}});
  EXPECT_EQ(lost.exit_code, 3);
  EXPECT_NE(lost.reasons.at(0).find("two"), std::string::npos);
  EXPECT_EQ(judge_plan({.lost = {"x"}, .stalls = {stall(true)}}).exit_code, 1);
}

TEST(PlanVerdict, InterruptedImpairedIdleOrLeftBehindIsNeverGreen) {
  EXPECT_EQ(judge_plan({.interrupted = true}).exit_code, 3);
  EXPECT_EQ(judge_plan({.impaired = {"x"}}).exit_code, 3);
  EXPECT_EQ(judge_plan({.left_behind = {"x"}}).exit_code, 3);
  EXPECT_EQ(judge_plan({.idle = {"maps"}}).exit_code, 3);
  EXPECT_EQ(judge_plan({.unsaved = "disk full"}).exit_code, 3);
}

TEST(PlanVerdict, StallMadeOnPurposeAndNotSeenIsUnknownAndTheProofIsTold) {
  const PlanOutcome blind = judge_plan({.blind = {"before the load it was not detected"}});
  EXPECT_EQ(blind.exit_code, 3);
  EXPECT_EQ(blind.reasons.at(0), "before the load it was not detected");
  EXPECT_EQ(judge_plan({.blind = {"x"}, .stalls = {stall(true)}}).exit_code, 1);
  EXPECT_NE(judge_plan({.proven = true}).reasons.at(0).find("on purpose"), std::string::npos);
}

TEST(PlanVerdict, FailedAndUnfinishedOperationsFail) {
  EXPECT_EQ(judge_plan({.failures = {"x"}}).exit_code, 1);
  EXPECT_EQ(judge_plan({.never_ended = {"x"}}).exit_code, 1);
}

TEST(PlanVerdict, ALoadsOwnLimitOfDropoutsCountsInsteadOfThePlans) {
  PlanFacts facts;
  facts.dropouts = {{.workload = "a", .duration_ms = 3000}, {.workload = "b", .duration_ms = 3000}};
  facts.limits.max_dropouts = 1;
  EXPECT_EQ(judge_plan(facts).exit_code, 1);
  facts.load_limits["b"].max_dropouts = 1;
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
  facts.load_limits["b"].max_dropouts = 0;
  EXPECT_EQ(judge_plan(facts).reasons.at(0), "1 dropouts of b, at most 0 are allowed");
  facts.load_limits["b"] = {.max_dropout_seconds = 2};
  facts.limits.max_dropouts.reset();
  EXPECT_EQ(judge_plan(facts).exit_code, 1);
  facts.limits.max_dropout_seconds = 2;
  facts.load_limits["a"].max_dropout_seconds = facts.load_limits["b"].max_dropout_seconds = 4;
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
}

TEST(PlanVerdict, ALoadThatDidLessThanThePlanWantsProvesNothing) {
  PlanFacts facts{.ops = {{"a", 9}, {"b", 9}}};
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
  facts.limits.min_ops = 9;
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
  facts.load_limits["b"].min_ops = 10;
  EXPECT_EQ(judge_plan(facts).exit_code, 3);
  EXPECT_EQ(judge_plan(facts).reasons,
            std::vector<std::string>{"9 operations of b completed, at least 10 are wanted"});
  facts.failures = {"x"};
  EXPECT_EQ(judge_plan(facts).exit_code, 1) << "a failure is worth more";
}

TEST(PlanVerdict, DropoutsCountOnlyWhereThePlanLimitsThem) {
  PlanFacts facts;
  facts.dropouts = {{.workload = "a", .duration_ms = 3000}, {.workload = "b", .duration_ms = 3000}};
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
  facts.limits.max_dropouts = 2;
  facts.limits.max_dropout_seconds = 3;
  EXPECT_EQ(judge_plan(facts).exit_code, 0);
  facts.limits.max_dropouts = 1;
  EXPECT_EQ(judge_plan(facts).exit_code, 1);
  facts.limits.max_dropouts.reset();
  facts.limits.max_dropout_seconds = 2.9;
  EXPECT_EQ(judge_plan(facts).exit_code, 1);
}

}  // namespace
}  // namespace stallproof
