// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/plan_coordinate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace stallproof {
namespace {

constexpr const char* kLoads =
    "[[process]]\n"
    "[[process.load]]\nname = \"reads\"\nworkload = \"direct-io\"\nio-read-percent = 100\n"
    "[[process.load]]\nname = \"writes\"\nworkload = \"direct-io\"\npath = \"/mnt/big\"\n"
    "[[process.load]]\nname = \"maps\"\nworkload = \"mapped-fault\"\nfile-size = \"1MiB\"\n"
    "[[process.load]]\nname = \"jvm\"\nworkload = \"mprotect-storm\"\n";

Result<LoadPlan> parse(const std::string& table, const std::string& loads = kLoads) {
  return parse_plan(table + loads, "p.toml", "/mnt");
}

std::string refusal(const std::string& table, const std::string& loads = kLoads) {
  const auto plan = parse(table, loads);
  return plan ? "accepted" : plan.error().what;
}

const PlanLoad& load(const LoadPlan& plan, std::size_t index) {
  return plan.processes.at(0).loads.at(index);
}

TEST(PlanCoordinate, IsReadAndWrittenAsItIs) {
  EXPECT_FALSE(parse("")->coordinate);
  const auto plan = parse("[coordinate]\nshare = \"same-file\"\nmeet = \"/a b\"\nwait = \"90s\"\n");
  ASSERT_TRUE(plan) << plan.error().what;
  ASSERT_TRUE(plan->coordinate);
  EXPECT_EQ(plan->coordinate->share, NodeShare::same_file);
  EXPECT_EQ(plan->coordinate->meet, "/a b");
  EXPECT_EQ(plan->coordinate->wait, 90 * kSecond);
  const auto again = parse_plan(plan_toml(*plan), "again.toml");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(plan_toml(*again), plan_toml(*plan));
  EXPECT_EQ(parse("[coordinate]\n")->coordinate->share, NodeShare::own_files);
}

TEST(PlanCoordinate, ErrorsNameThePlaceAndTheWord) {
  const auto expect = [](const std::string& said, const std::string& place,
                         const std::string& word) {
    EXPECT_EQ(said.find("p.toml:" + place + ": "), 0U) << said;
    EXPECT_NE(said.find(word), std::string::npos) << said;
  };
  expect(refusal("[coordinate]\nshare = \"all\"\n"), "2:9", "own-files, ranges");
  expect(refusal("[coordinate]\nmeet = \"shared\"\n"), "2:8", "absolute");
  expect(refusal("[coordinate]\nwait = 0\n"), "2:8", "1s");
  expect(refusal("[coordinate]\nnodes = 3\n"), "2:1", "known: meet");
}

TEST(PlanCoordinate, LoadsThatWriteDoNotShareFilesForReading) {
  EXPECT_NE(refusal("[coordinate]\nshare = \"shared-files\"\n").find("load 'writes' writes"),
            std::string::npos);
  const std::string mapped =
      "[[process]]\n[[process.load]]\nworkload = \"mapped-fault\"\nfile-size = \"1MiB\"\n";
  EXPECT_EQ(refusal("[coordinate]\nshare = \"shared-files\"\n", mapped), "accepted");
  EXPECT_NE(refusal("[coordinate]\nshare = \"shared-files\"\n", mapped + "fault-writes = 5\n")
                .find("'mapped-fault' writes"),
            std::string::npos);
}

TEST(PlanCoordinate, WhatAWorkerWouldRefuseOnANodeIsRefusedInThePlan) {
  const std::string holes =
      "[[process]]\n[[process.load]]\nworkload = \"mapped-fault\"\nfile-size = \"1MiB\"\n"
      "fault-retouch = \"hole\"\n";
  for (const char* share : {"ranges", "same-file"})
    EXPECT_NE(refusal(fmt::format("[coordinate]\nshare = \"{}\"\n", share), holes)
                  .find("fault-retouch: hole changes the file under those who share it"),
              std::string::npos)
        << share;
  EXPECT_EQ(refusal("[coordinate]\nshare = \"own-files\"\n", holes), "accepted");
}

TEST(PlanCoordinate, ALoadDoesNotDivideItsFileASecondTime) {
  const std::string own = std::string(kLoads).insert(
      std::string(kLoads).find("[[process.load]]\n") + 17, "file-part = \"1/2\"\n");
  EXPECT_NE(refusal("[coordinate]\nshare = \"ranges\"\n", own).find("says file-part itself"),
            std::string::npos);
  EXPECT_EQ(refusal("[coordinate]\nshare = \"own-files\"\n", own), "accepted");
}

TEST(PlanCoordinate, RangesAreDisjointAndInTheSameFile) {
  const auto plan = parse("[coordinate]\nshare = \"ranges\"\n");
  ASSERT_TRUE(plan) << plan.error().what;
  std::set<std::string> parts;
  for (unsigned rank = 0; rank < 3; ++rank) {
    const LoadPlan own = plan_of_node(*plan, rank, 3, "/mnt/.shared");
    EXPECT_EQ(load(own, 0).path, "/mnt/.shared/reads");
    EXPECT_EQ(load(own, 1).path, "/mnt/big");
    EXPECT_EQ(load(own, 3).path, "jvm") << "it has no file to share";
    parts.insert(load(own, 0).parameters.text("file-part", ""));
    EXPECT_EQ(load(own, 0).parameters.text("file-part", ""),
              load(own, 2).parameters.text("file-part", ""));
  }
  EXPECT_EQ(parts, (std::set<std::string>{"1/3", "2/3", "3/3"}));
  EXPECT_TRUE(shares_directory(*plan));
}

TEST(PlanCoordinate, TheSameFileHasManyWritersAndOwnFilesHaveNamesOfTheirOwn) {
  const auto same = parse("[coordinate]\nshare = \"same-file\"\n");
  ASSERT_TRUE(same) << same.error().what;
  EXPECT_EQ(load(plan_of_node(*same, 1, 2, "/s"), 1).parameters.text("file-writers", ""), "many");
  const auto apart = parse("[coordinate]\nshare = \"own-files\"\n");
  ASSERT_TRUE(apart) << apart.error().what;
  const LoadPlan own = plan_of_node(*apart, 1, 2, "/s");
  EXPECT_EQ(load(own, 0).path, "reads");
  EXPECT_EQ(load(own, 1).path, "/mnt/big.2");
  EXPECT_FALSE(shares_directory(*apart));
}

TEST(PlanCoordinate, WithoutTheTableNothingChanges) {
  const auto plan = parse("");
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan_toml(plan_of_node(*plan, 1, 3, "/s")), plan_toml(*plan));
}

TEST(PlanCoordinate, NodesOfAJobHaveOneSeedInThePlanAndDrawDifferently) {
  EXPECT_EQ(seed_of_job("77.0"), seed_of_job("77.0"));
  EXPECT_NE(seed_of_job("77.0"), seed_of_job("78.0"));
  EXPECT_NE(seed_of_job(""), 0U);
  const auto plan = parse("[coordinate]\n");
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_TRUE(plan->seed_drawn);
  EXPECT_FALSE(parse("[plan]\nseed = 5\n[coordinate]\n")->seed_drawn);
  EXPECT_NE(plan_of_node(*plan, 0, 2, "").seed, plan_of_node(*plan, 1, 2, "").seed);
}

}  // namespace
}  // namespace stallproof
