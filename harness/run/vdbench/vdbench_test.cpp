// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/run/vdbench/cpu_clock.h"
#include "harness/run/vdbench/lun_look.h"
#include "harness/run/vdbench/vdbench_places.h"
#include "harness/run/vdbench/vdbench_target.h"
#include "harness/run/vdbench/vdbench_verdict.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class VdbenchFolder : public ::testing::Test {
 protected:
  VdbenchFolder() {
    char name[] = "/tmp/stallproof-vdbench-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~VdbenchFolder() override { fs::remove_all(folder_); }
  std::string folder_;
};

VdbenchFacts good() { return {.worked = true}; }

TEST(VdbenchVerdict, AGoodRunPasses) {
  EXPECT_EQ(judge_vdbench(good()).outcome, Outcome::pass);
  EXPECT_EQ(judge_vdbench(good()).vdbench_code, 0);
}

TEST(VdbenchVerdict, AStallThatResolvedFailsUsButNotVdbench) {
  VdbenchFacts facts = good();
  facts.failing = {"unknown (incident 001)"};
  EXPECT_EQ(judge_vdbench(facts).exit_code, 1);
  EXPECT_EQ(judge_vdbench(facts).vdbench_code, 0);
}

TEST(VdbenchVerdict, AnIoThatNeverEndedAndFailedIoFailBoth) {
  VdbenchFacts never = good();
  never.never_ended = {"read of sd=sd1 …"};
  VdbenchFacts failed = good();
  failed.failures = {"3 I/Os failed"};
  for (const VdbenchFacts& facts : {never, failed}) {
    EXPECT_EQ(judge_vdbench(facts).outcome, Outcome::fail);
    EXPECT_EQ(judge_vdbench(facts).vdbench_code, 157);
  }
}

TEST(VdbenchVerdict, WhatWasNotSeenOrNotDoneIsUnknown) {
  VdbenchFacts blind = good();
  blind.impaired = {"kernel log lost"};
  EXPECT_EQ(judge_vdbench(blind).outcome, Outcome::unknown);
  EXPECT_EQ(judge_vdbench(blind).vdbench_code, 0);  // the load itself was well
  EXPECT_EQ(judge_vdbench({}).outcome, Outcome::unknown);
  EXPECT_EQ(judge_vdbench({}).vdbench_code, 157);
  VdbenchFacts interrupted = good();
  interrupted.interrupted = true;
  EXPECT_EQ(judge_vdbench(interrupted).exit_code, 3);
  EXPECT_EQ(judge_vdbench(interrupted).vdbench_code, 157);
}

TEST(VdbenchVerdict, AStallMadeOnPurposeThatWasNotSeenIsUnknownAndNoBusinessOfVdbench) {
  VdbenchFacts facts = good();
  facts.blind = {"before the load a stall made on purpose (mmap-lock-fault) was not captured"};
  EXPECT_EQ(judge_vdbench(facts).outcome, Outcome::unknown);
  EXPECT_EQ(judge_vdbench(facts).exit_code, 3);
  EXPECT_EQ(judge_vdbench(facts).vdbench_code, 0);
  VdbenchFacts proven = good();
  proven.proven = true;
  EXPECT_NE(judge_vdbench(proven).reasons.at(0).find("on purpose was seen"), std::string::npos);
}

TEST_F(VdbenchFolder, ResultsOfAnEarlierExecutionAreKeptAside) {
  std::ofstream(folder_ + "/flatfile.html") << "old";
  std::ofstream(folder_ + "/verdict.json") << "old";
  std::ofstream(folder_ + "/mine.txt") << "not a result";
  const auto run = prepare_run_dir({.out = folder_});
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_FALSE(fs::exists(folder_ + "/flatfile.html"));
  EXPECT_TRUE(fs::exists(folder_ + "/mine.txt"));
  int kept = 0;
  for (const auto& entry : fs::directory_iterator(folder_))
    if (entry.path().filename().string().starts_with("earlier-"))
      kept +=
          fs::exists(entry.path() / "flatfile.html") && fs::exists(entry.path() / "verdict.json");
  EXPECT_EQ(kept, 1);
}

TEST_F(VdbenchFolder, ResultsOnTheFileSystemOfALunAreFoundThroughLinks) {
  fs::create_directory_symlink(folder_, folder_ + "/link");
  const PlaceMounts found = mounts_of_places({folder_ + "/link/lun", folder_ + "/new/anchor"});
  ASSERT_EQ(found.mounts.size(), 1U);
  EXPECT_FALSE(found.others);
  const VdbenchOptions there{.out = folder_ + "/no/such/yet", .vdbench_codes = false};
  const auto refused = refuse_vdbench_place(there, found.mounts);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("lies on a file system under test"), std::string::npos)
      << refused.error().what;
  EXPECT_TRUE(refuse_vdbench_place({.out = "/proc/stallproof"}, found.mounts));
  EXPECT_TRUE(refuse_vdbench_place(there, mounts_of_places({"/dev/nosuchdisk"}).mounts));
  EXPECT_TRUE(mounts_of_places({"/dev/nosuchdisk"}).others);
}

TEST_F(VdbenchFolder, PlusTakesTheNextFreeNumber) {
  const std::string stem = folder_ + "/out";
  EXPECT_EQ(place_of(stem + "+"), stem);
  fs::create_directory(stem);
  EXPECT_EQ(place_of(stem + "+"), stem + "001");
  fs::create_directory(stem + "001");
  EXPECT_EQ(place_of(stem + "+"), stem + "002");
  EXPECT_NE(place_of(stem + ".tod"), stem + ".tod");
}

TEST_F(VdbenchFolder, LunsAreLookedAtBeforeAnythingIsDone) {
  const std::string file = folder_ + "/f";
  std::ofstream(file) << std::string(4096, 'x');
  const auto there = look_at_luns({{"sd1", file, true, false}}, false);
  ASSERT_TRUE(there) << there.error().what;
  EXPECT_EQ((*there)[0].size, 4096U);
  EXPECT_FALSE((*there)[0].device);
  // A file that is to be made needs its size and its folder.
  EXPECT_TRUE(look_at_luns({{"sd1", folder_ + "/new", true, true}}, false));
  for (const LunQuestion& bad : {LunQuestion{"sd1", folder_ + "/new", true, false},
                                 LunQuestion{"sd1", folder_ + "/no/such", true, true},
                                 LunQuestion{"sd1", folder_, true, true},
                                 LunQuestion{"sd1", "/dev/nosuchdisk", false, true}}) {
    const auto found = look_at_luns({bad}, false);
    ASSERT_FALSE(found) << bad.path;
    EXPECT_NE(found.error().what.find("sd=sd1"), std::string::npos);
  }
}

TEST(CpuClock, ReadsTheFirstLineOfProcStat) {
  const CpuTimes times = cpu_times_of("cpu  10 2 30 40 5 6 7 8 0 0\ncpu0 1 1 1 1\n");
  EXPECT_EQ(times.user, 12U);
  EXPECT_EQ(times.kernel, 51U);
  EXPECT_EQ(times.idle, 40U);
  EXPECT_EQ(times.wait, 5U);
  EXPECT_EQ(cpu_times_of("").user, 0U);
}

}  // namespace
}  // namespace stallproof
