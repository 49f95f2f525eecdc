// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/load_plan_words.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

StoredRun run_of(const std::string& plan) {
  StoredRun run;
  run.verdict.emplace();
  run.verdict->node = "vm7";
  run.verdict->target_fstype = "ext4";
  run.verdict->settings = {{"seed", plan}, {"plan", "soak"}};
  run.environment = StoredEnvironment{.machine = "x86_64", .cpus = 2};
  run.plan = plan;
  return run;
}

std::string difference(const StoredRun& wanted, const StoredRun& found) {
  return first_difference(circumstances(wanted), circumstances(found));
}

TEST(Circumstances, SeedAndPathOfTheTargetMayDiffer) {
  EXPECT_EQ(difference(run_of("[plan]\nseed = 1\ntarget = \"/a\"\nduration = \"60s\"\n"),
                       run_of("[plan]\nseed = 2\ntarget = \"/b\"\nduration = \"60s\"\n")),
            "");
}

TEST(Circumstances, ADifferenceOfThePlanIsNamed) {
  const std::string one = "[[process]]\n[[process.load]]\nthreads = 4\n";
  const std::string other = "[[process]]\n[[process.load]]\nthreads = 8\n";
  EXPECT_EQ(difference(run_of(one), run_of(other)),
            "plan: process[0].load[0].threads: '8', not '4'");
  EXPECT_EQ(difference(run_of(one), run_of(one + "path = \"x\"\n")),
            "plan: process[0].load[0].path: 'x', not nothing");
  EXPECT_EQ(difference(run_of("garbage"), run_of("garbage, too")),
            "plan: 'garbage, too', not 'garbage'");
}

TEST(Circumstances, AnotherMachineOrKindOfTargetIsNamed) {
  StoredRun other = run_of("");
  other.verdict->target_fstype = "xfs";
  EXPECT_EQ(difference(run_of(""), other), "target's file system: 'xfs', not 'ext4'");
  other = run_of("");
  other.environment->cpus = 4;
  EXPECT_EQ(difference(run_of(""), other), "processors: '4', not '2'");
  other = run_of("");
  other.verdict->node = "vm8";
  EXPECT_EQ(difference(run_of(""), other), "node: 'vm8', not 'vm7'");
}

TEST(Circumstances, WhereVdbenchsFilesLieIsNoDifferenceAndWhatTheyAreGivenIs) {
  const std::string start =
      "[vdbench]\ncommand = \"run\"\ndirectory = \"/a\"\nfiles = [\"/a/p\"]\n";
  const std::string other = "[vdbench]\ncommand = \"vdbench\"\nfiles = [\"/b/p\"]\n";
  const std::string values = "values = [\"threads=4\"]\n";
  StoredRun one = run_of(start + values), same = run_of(other + values);
  same.verdict->settings = one.verdict->settings;
  EXPECT_EQ(difference(one, same), "");
  StoredRun more = run_of(other + "values = [\"threads=8\"]\n");
  more.verdict->settings = one.verdict->settings;
  EXPECT_EQ(difference(one, more), "plan: vdbench.values[0]: 'threads=8', not 'threads=4'");
  StoredRun earlier = run_of("");
  earlier.verdict->settings = one.verdict->settings;
  EXPECT_EQ(difference(earlier, one), "");
  EXPECT_EQ(difference(one, earlier), "");
}

TEST(Circumstances, WhatAnEarlierVersionDidNotTellIsNoDifference) {
  StoredRun earlier = run_of(""), later = run_of("");
  earlier.verdict->target_fstype.clear();
  later.verdict->settings["parameters"] = "5d41";
  EXPECT_EQ(difference(earlier, later), "");
  EXPECT_EQ(difference(later, earlier), "");
  StoredRun other = later;
  other.verdict->settings["parameters"] = "9c02";
  EXPECT_EQ(difference(later, other), "settings: parameters: '9c02', not '5d41'");
}

TEST(Circumstances, WarmUpIsReadFromThePlan) {
  EXPECT_EQ(warmup_ms_of("[plan]\nwarmup = \"30s\"\n"), 30000);
  EXPECT_EQ(warmup_ms_of("scenario = \"x\"\n"), 0);
  EXPECT_EQ(warmup_ms_of("garbage ="), 0);
}

}  // namespace
}  // namespace stallproof
