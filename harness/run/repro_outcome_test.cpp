// SPDX-License-Identifier: Apache-2.0
#include "harness/run/repro_outcome.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr const char* kSignature = "mmap_lock_cycle:fault_read>mprotect_write>service_read";

ReproFacts stalled_as_promised() {
  return {.stalled = true,
          .stall_class = "mmap_lock_cycle",
          .signature = kSignature,
          .expected_class = "mmap_lock_cycle",
          .expected_signatures = {kSignature},
          .hazards = 1};
}

ReproFacts quiet_in_the_hazard() {
  ReproFacts facts = stalled_as_promised();
  facts.stalled = false;
  facts.hazards = 1000;
  return facts;
}

TEST(ReproOutcome, ReproducedAndExplainedIsZero) {
  EXPECT_EQ(judge_repro(stalled_as_promised()).exit_code, 0);
}

TEST(ReproOutcome, ExplainedOtherwiseIsUnknown) {
  ReproFacts facts = stalled_as_promised();
  facts.signature = "fs_server_stuck:request";
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
  facts = stalled_as_promised();
  facts.stall_class = "mmap_lock_held";
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
}

TEST(ReproOutcome, NotReproducedIsOne) {
  EXPECT_EQ(judge_repro(quiet_in_the_hazard()).exit_code, 1);
}

TEST(ReproOutcome, QuietCountsOnlyWhereTheHazardWasEntered) {
  ReproFacts facts = quiet_in_the_hazard();
  facts.expectation = Expectation::quiet;
  EXPECT_EQ(judge_repro(facts).exit_code, 0);
  facts.hazards = 0;
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
  facts.has_hazard = false;
  EXPECT_EQ(judge_repro(facts).exit_code, 0);
}

TEST(ReproOutcome, AnyStallBreaksAnExpectedQuiet) {
  ReproFacts facts = stalled_as_promised();
  facts.expectation = Expectation::quiet;
  EXPECT_EQ(judge_repro(facts).exit_code, 1);
}

TEST(ReproOutcome, ImpairedSightIsNeverGreen) {
  ReproFacts facts = quiet_in_the_hazard();
  facts.expectation = Expectation::quiet;
  facts.impaired = {"the watchdog never looked"};
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
}

TEST(ReproOutcome, QuietWithoutWorkProvesNothing) {
  ReproFacts facts = quiet_in_the_hazard();
  facts.worthless = {"in some second no page read was served"};
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
  facts.expectation = Expectation::quiet;
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
}

TEST(ReproOutcome, EvidenceThatCouldNotBeKeptSpoilsAPassButNotAFailure) {
  ReproFacts facts = stalled_as_promised();
  facts.unsaved = "write /x/kmsg.txt: No space left on device";
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
  facts.expectation = Expectation::quiet;
  const ReproOutcome failed = judge_repro(facts);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_EQ(failed.reasons.back(), facts.unsaved);
}

TEST(ReproOutcome, LostProcessAndInterruptAreUnknown) {
  ReproFacts facts = stalled_as_promised();
  facts.lost = {"ffs process ended in mid-run: killed by signal 9 (Killed)"};
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
  facts = stalled_as_promised();
  facts.interrupted = true;
  EXPECT_EQ(judge_repro(facts).exit_code, 3);
}

TEST(ReproOutcome, WhatIsLeftBehindSpoilsAPass) {
  ReproFacts facts = stalled_as_promised();
  facts.left_behind = {"mount /run/x"};
  const ReproOutcome outcome = judge_repro(facts);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.reasons.back().find("/run/x"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
