// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/stall_policy.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

// All that a panic needs; each test takes one thing away.
CrashFacts due() {
  return {.policy = {.on_stall = OnStall::panic, .allow_crash = true},
          .standing = true,
          .failing = true,
          .marked = false,
          .decided = false,
          .evidence_due = false,
          .means_lacking = {}};
}

TEST(StallPolicy, AFailingStallThatStandsIsCrashed) {
  EXPECT_EQ(decide_crash(due()).step, CrashStep::crash);
}

TEST(StallPolicy, OtherPoliciesNeverCrash) {
  for (const OnStall policy : {OnStall::report, OnStall::sysrq}) {
    CrashFacts facts = due();
    facts.policy.on_stall = policy;
    EXPECT_EQ(decide_crash(facts).step, CrashStep::none) << policy_name(policy);
  }
}

TEST(StallPolicy, AShortOrResolvedStallIsNotCrashed) {
  CrashFacts facts = due();
  facts.failing = false;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::none);
  facts = due();
  facts.standing = false;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::none);
}

TEST(StallPolicy, AMarkedWindowIsNeverCrashedButMayBeAfterItsEnd) {
  CrashFacts facts = due();
  facts.marked = true;
  const CrashDecision inside = decide_crash(facts);
  EXPECT_EQ(inside.step, CrashStep::none);
  EXPECT_NE(inside.reason.find("marked"), std::string::npos);
  facts.marked = false;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::crash);
}

TEST(StallPolicy, OncePerRun) {
  CrashFacts facts = due();
  facts.decided = true;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::none);
}

TEST(StallPolicy, EvidenceFirstAndTheStallIsLeftStandingForIt) {
  CrashFacts facts = due();
  facts.evidence_due = true;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::wait);
  // What will not be crashed anyway is not waited for.
  facts.failing = false;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::none);
}

TEST(StallPolicy, WithoutLeaveOrMeansItIsRefusedWithTheReason) {
  CrashFacts facts = due();
  facts.policy.allow_crash = false;
  EXPECT_EQ(decide_crash(facts).step, CrashStep::refuse);
  EXPECT_NE(decide_crash(facts).reason.find("--allow-crash"), std::string::npos);
  facts = due();
  facts.means_lacking = "no crash kernel is loaded";
  EXPECT_EQ(decide_crash(facts).step, CrashStep::refuse);
  EXPECT_EQ(decide_crash(facts).reason, "no crash kernel is loaded");
}

}  // namespace
}  // namespace stallproof
