// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch_outcome.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

WatchFacts quiet() { return {.worked = true, .command_exit = 0}; }

TEST(WatchOutcome, QuietLoadThatWorkedPasses) {
  EXPECT_EQ(judge_watch(quiet()).outcome, Outcome::pass);
  EXPECT_EQ(judge_watch(quiet()).exit_code, 0);
}

TEST(WatchOutcome, FailingStallIsOneWhateverTheCommandSays) {
  WatchFacts facts = quiet();
  facts.failing = {"mmap_lock_cycle (incident 001)"};
  facts.interrupted = true;
  facts.command_exit = 5;
  EXPECT_EQ(judge_watch(facts).outcome, Outcome::fail);
  EXPECT_EQ(judge_watch(facts).exit_code, 1);
}

TEST(WatchOutcome, KnownStallThatWasNotSeenIsNeverGreen) {
  WatchFacts facts = quiet();
  facts.unproven = {"after the load it was not detected"};
  EXPECT_EQ(judge_watch(facts).outcome, Outcome::unknown);
  EXPECT_EQ(judge_watch(facts).exit_code, 3);
  EXPECT_EQ(judge_watch(facts).reasons, facts.unproven);
}

TEST(WatchOutcome, KnownStallThatWasSeenIsTold) {
  WatchFacts facts = quiet();
  facts.proven = true;
  EXPECT_EQ(judge_watch(facts).exit_code, 0);
  EXPECT_NE(judge_watch(facts).reasons.front().find("made on purpose"), std::string::npos);
}

TEST(WatchOutcome, StallThatResolvedPasses) {
  WatchFacts facts = quiet();
  facts.stalls = 2;
  const WatchOutcome outcome = judge_watch(facts);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.reasons.front().find("2 that resolved"), std::string::npos);
}

TEST(WatchOutcome, FailedCommandKeepsItsCodeAndIsNeverGreen) {
  WatchFacts facts = quiet();
  facts.worked = false;
  for (const int code : {1, 5, 127, 137}) {
    facts.command_exit = code;
    EXPECT_EQ(judge_watch(facts).exit_code, code);
    EXPECT_EQ(judge_watch(facts).outcome, Outcome::unknown);
  }
}

TEST(WatchOutcome, QuietWithoutWorkOrWithoutSightIsUnknown) {
  WatchFacts idle = quiet();
  idle.worked = false;
  EXPECT_EQ(judge_watch(idle).exit_code, 3);
  WatchFacts blind = quiet();
  blind.impaired = {"2 scans of the kernel's tasks failed"};
  EXPECT_EQ(judge_watch(blind).exit_code, 3);
  WatchFacts interrupted = quiet();
  interrupted.interrupted = true;
  EXPECT_EQ(judge_watch(interrupted).exit_code, 3);
  WatchFacts unsaved = quiet();
  unsaved.unsaved = "verdict.json: No space left on device";
  EXPECT_EQ(judge_watch(unsaved).exit_code, 3);
}

TEST(WatchOutcome, ImpairedSightOutweighsTheCommandsOwnCode) {
  WatchFacts facts = quiet();
  facts.impaired = {"the watchdog never looked"};
  facts.command_exit = 5;
  EXPECT_EQ(judge_watch(facts).exit_code, 3);
}

}  // namespace
}  // namespace stallproof
