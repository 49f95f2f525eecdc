// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/unfinished_run.h"

#include <fmt/format.h>

#include "harness/run/postmortem/dead_node_fixture.h"
#include "harness/run/process_identity.h"

namespace stallproof {
namespace {

using UnfinishedRunTest = DeadNodeFixture;

MachineNow this_boot() { return {.boot_id = "22222222-2222-4222-8222-222222222222"}; }

TEST_F(UnfinishedRunTest, AnotherBootMeansThatTheNodeDied) {
  const auto run = look_at_unfinished(put_run("r-17", kDeadBoot, ""), this_boot());
  EXPECT_EQ(run.end, RunEnd::node_died);
  EXPECT_EQ(run.id, "r-17");
  EXPECT_EQ(run.labels.at("build"), "1.2");
  EXPECT_EQ(run.node, "n1");
}

TEST_F(UnfinishedRunTest, SameBootWithoutItsControllerMeansThatItWasKilled) {
  const auto run = look_at_unfinished(put_run("r-17", kLiveBoot, ""), this_boot());
  EXPECT_EQ(run.end, RunEnd::controller_died);
  EXPECT_NE(run.why.find("4194303"), std::string::npos);
}

TEST_F(UnfinishedRunTest, AControllerThatLivesIsLeftAlone) {
  const std::string directory = put_run("r-17", kLiveBoot, "");
  const ProcessIdentity self = identify_process(::getpid());
  put("var/lib/stallproof/runs/r-17/manifest.json",
      fmt::format(R"({{"run":"r-17","state":"running","boot_id":"{}",)"
                  R"("controller":{{"pid":{},"start_ticks":{}}}}})",
                  kLiveBoot, self.pid, self.start_ticks));
  EXPECT_EQ(look_at_unfinished(directory, this_boot()).end, RunEnd::running);
}

TEST_F(UnfinishedRunTest, ALaterProcessOfTheSamePidIsNotTheController) {
  const std::string directory = put_run("r-17", kLiveBoot, "");
  put("var/lib/stallproof/runs/r-17/manifest.json",
      fmt::format(R"({{"run":"r-17","state":"running","boot_id":"{}",)"
                  R"("controller":{{"pid":{},"start_ticks":1}}}})",
                  kLiveBoot, ::getpid()));
  EXPECT_EQ(look_at_unfinished(directory, this_boot()).end, RunEnd::controller_died);
}

TEST_F(UnfinishedRunTest, WithoutAManifestTheNameAndTheTimesTell) {
  put("runs/old-4194303/run.id", "old-4194303\n", 5000);
  const MachineNow before{.boot_id = kLiveBoot, .booted_ns = 4000 * std::int64_t{kSecond}};
  const MachineNow since{.boot_id = kLiveBoot, .booted_ns = 6000 * std::int64_t{kSecond}};
  EXPECT_EQ(look_at_unfinished(root_ + "/runs/old-4194303", before).end, RunEnd::controller_died);
  EXPECT_EQ(look_at_unfinished(root_ + "/runs/old-4194303", since).end, RunEnd::node_died);
}

TEST_F(UnfinishedRunTest, DamagedManifestIsAsNone) {
  const std::string directory = put_run("r-4194303", kDeadBoot, "");
  put("var/lib/stallproof/runs/r-4194303/manifest.json", "{\"boot_id\": \"");
  const auto run = look_at_unfinished(directory, this_boot());
  EXPECT_EQ(run.end, RunEnd::controller_died);
  EXPECT_EQ(run.boot_id, "");
}

TEST_F(UnfinishedRunTest, OfACopiedDiskNobodyLives) {
  const MachineNow copied{.boot_id = "", .here = false};
  EXPECT_EQ(look_at_unfinished(put_run("r-17", kDeadBoot, ""), copied).end, RunEnd::node_died);
}

TEST_F(UnfinishedRunTest, RunsWithAVerdictAreFinished) {
  put_run("r-17", kDeadBoot, "");
  put_run("s-18", kDeadBoot, "");
  put("var/lib/stallproof/runs/s-18/verdict.json", "{}");
  std::filesystem::create_directory_symlink("r-17", root_ + "/var/lib/stallproof/runs/latest");
  const auto found = unfinished_directories(root_ + "/var/lib/stallproof/runs");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].ends_with("/r-17"));
}

}  // namespace
}  // namespace stallproof
