// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/node_place.h"

#include <gtest/gtest.h>

#include <map>

namespace stallproof {
namespace {

using Environment = std::map<std::string, std::string>;

Result<NodePlace> place_in(const Environment& environment, const std::string& meet = "/shared") {
  return node_place(meet, [&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

std::string refusal(const Environment& environment, const std::string& meet = "/shared") {
  const auto place = place_in(environment, meet);
  return place ? "accepted" : place.error().what;
}

const Environment kStep{{"SLURM_JOB_ID", "77"},
                        {"SLURM_STEP_ID", "0"},
                        {"SLURM_NODEID", "2"},
                        {"SLURM_STEP_NUM_NODES", "3"},
                        {"SLURM_STEP_NUM_TASKS", "3"}};
const Environment kLauncher{{"STALLPROOF_NODE_RANK", "1"},
                            {"STALLPROOF_NODE_COUNT", "4"},
                            {"STALLPROOF_JOB", "night-7"},
                            {"STALLPROOF_MEET", "/elsewhere"}};

TEST(NodePlace, IsTakenFromTheStepOfSlurm) {
  const auto place = place_in(kStep);
  ASSERT_TRUE(place) << place.error().what;
  EXPECT_EQ(place->rank, 2U);
  EXPECT_EQ(place->count, 3U);
  EXPECT_EQ(place->job, "77.0");
  EXPECT_EQ(place->meet, "/shared");
}

TEST(NodePlace, WhatAnotherLauncherSaysWinsOverSlurm) {
  Environment both = kStep;
  both.insert(kLauncher.begin(), kLauncher.end());
  const auto place = place_in(both);
  ASSERT_TRUE(place) << place.error().what;
  EXPECT_EQ(place->rank, 1U);
  EXPECT_EQ(place->count, 4U);
  EXPECT_EQ(place->job, "night-7");
  EXPECT_EQ(place->meet, "/elsewhere");
}

TEST(NodePlace, WithoutAStepItIsSaidWhatToDo) {
  EXPECT_NE(refusal({}).find("start it by srun, or set STALLPROOF_NODE_RANK"), std::string::npos);
  EXPECT_NE(refusal({{"SLURM_JOB_ID", "5"}}).find("job 5 of Slurm, but not a step"),
            std::string::npos);
}

TEST(NodePlace, TwoTasksOnANodeAreRefused) {
  Environment crowded = kStep;
  crowded["SLURM_STEP_NUM_TASKS"] = "6";
  EXPECT_NE(refusal(crowded).find("--ntasks-per-node=1"), std::string::npos);
}

TEST(NodePlace, NumbersThatCannotBeAreNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"STALLPROOF_NODE_RANK", "4"},  {"STALLPROOF_NODE_RANK", "-1"},
      {"STALLPROOF_NODE_RANK", ""},   {"STALLPROOF_NODE_COUNT", "0"},
      {"STALLPROOF_NODE_COUNT", "x"}, {"STALLPROOF_NODE_COUNT", "65537"},
      {"STALLPROOF_JOB", "a b"},      {"STALLPROOF_JOB", "../x"},
      {"STALLPROOF_JOB", ""}};
  for (const auto& [name, value] : wrong) {
    Environment environment = kLauncher;
    environment[name] = value;
    const std::string said = refusal(environment);
    EXPECT_NE(said.find(name), std::string::npos) << name << "=" << value << ": " << said;
    EXPECT_EQ(said.find('\n'), std::string::npos);
  }
  for (const auto& [name, value] : kLauncher) {
    Environment environment = kLauncher;
    environment.erase(name);
    if (name == "STALLPROOF_MEET") continue;
    EXPECT_NE(refusal(environment).find(name), std::string::npos) << name;
  }
}

TEST(NodePlace, ThePlaceToMeetIsAnAbsolutePath) {
  EXPECT_NE(refusal(kStep, "").find("STALLPROOF_MEET"), std::string::npos);
  EXPECT_NE(refusal(kStep, "shared").find("meet = 'shared'"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
