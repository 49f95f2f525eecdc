// SPDX-License-Identifier: Apache-2.0
// The loads of the scenarios with a disk, where nothing is wrong: they work, leave nothing behind,
// and touch nothing that is not theirs.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "workloads/testing/load_rig.h"

namespace stallproof {
namespace {

class DiskVictims : public ::testing::Test {
 protected:
  // All threads of the load complete something; returns what was not as it should be.
  LoadTotals run(const char* workload, unsigned threads,
                 const std::vector<std::string>& words = {}) {
    LoadRig load(workload, threads, scratch_.file());
    const auto prepared = load.prepare(words);
    EXPECT_TRUE(prepared) << prepared.error().what;
    if (!prepared) return {};
    load.start();
    EXPECT_TRUE(load.until([&](const LoadTotals&) {
      const auto slots = load.board().slots();
      return std::all_of(slots.begin(), slots.end(),
                         [](const BoardSlot& slot) { return slot.ops.load() > 2; });
    }));
    const LoadTotals totals = load.stop();
    EXPECT_EQ(totals.errors + totals.mismatches, 0U);
    return totals;
  }

  const TestDirectory scratch_;
};

TEST_F(DiskVictims, FileChurnLeavesNoFile) {
  EXPECT_GT(run("file-churn", 2).ops, 0U);
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(scratch_.file()).parent_path()));
}

TEST_F(DiskVictims, JournalSyncLeavesNoFile) {
  EXPECT_GT(run("journal-sync", 2).ops, 0U);
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(scratch_.file()).parent_path()));
}

TEST_F(DiskVictims, PageWriteGoesOnWhileItsMappingIsProtected) {
  EXPECT_GT(run("page-write", 4).ops, 0U);
}

TEST_F(DiskVictims, CachedVerifyFindsWrongData) {
  EXPECT_GT(run("cached-verify", 2, {"verify-size=64KiB"}).bytes, 0U);
  LoadRig load("cached-verify", 1, scratch_.file());
  ASSERT_TRUE(load.prepare({"verify-size=32MiB"}));
  const std::uint64_t wrong = 1;
  const Fd file(::open(scratch_.file().c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), &wrong, sizeof wrong, 1U << 20U), 8);
  load.start();
  EXPECT_TRUE(load.until([](const LoadTotals& now) { return now.mismatches > 0; }));
}

TEST_F(DiskVictims, UringReadNeedsNoRegistration) {
  if (find_workload("uring-read")->unsupported()) GTEST_SKIP() << "no io_uring";
  std::ofstream(scratch_.file()) << std::string(1U << 20U, 'x');
  if (!Fd(::open(scratch_.file().c_str(), O_RDONLY | O_DIRECT)).valid())
    GTEST_SKIP() << "no O_DIRECT here";
  EXPECT_GT(run("uring-read", 2, {"uring-depth=4"}).bytes, 0U);
}

TEST_F(DiskVictims, WordsThatAreWrongAreRefusedByName) {
  struct Case {
    const char* workload;
    const char* word;
    const char* named;
  };
  for (const Case& wrong : {Case{"cached-verify", "verify-size=100", "verify-size"},
                            {"uring-read", "uring-depth=0", "uring-depth"},
                            {"device-io", "device-read-percent=101", "device-read-percent"}}) {
    LoadRig load(wrong.workload, 1, scratch_.file());
    const auto prepared = load.prepare({wrong.word});
    ASSERT_FALSE(prepared) << wrong.word;
    EXPECT_NE(prepared.error().what.find(wrong.named), std::string::npos) << prepared.error().what;
  }
}

TEST_F(DiskVictims, DeviceIoWritesToNothingButASpareDevice) {
  std::ofstream(scratch_.file()) << "mine";
  for (const std::string& path : {scratch_.file(), std::string("/dev/null")}) {
    LoadRig load("device-io", 1, path);
    const auto prepared = load.prepare({});
    ASSERT_FALSE(prepared) << path;
    EXPECT_NE(prepared.error().what.find("is neither a loop device"), std::string::npos);
  }
}

}  // namespace
}  // namespace stallproof
