// SPDX-License-Identifier: Apache-2.0
// The loads on a file system with a disk under it: what is read from the disk, what has no space,
// what is unmounted meanwhile.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "workloads/testing/load_rig.h"
#include "workloads/testing/loop_mount.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kSize = 24U << 20U;

long major_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_majflt;
}

class OnExt4 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    auto made = LoopMount::make(kSize);
    ASSERT_TRUE(made) << made.error().what;
    mount_ = std::move(*made);
  }
  void prepare(LoadRig& load, const std::vector<std::string>& words) {
    const auto prepared = load.prepare(words);
    ASSERT_TRUE(prepared) << prepared.error().what;
  }
  std::unique_ptr<LoopMount> mount_;
};

TEST_F(OnExt4, PagesAreReadFromTheDiskUnlessOnlyTheMappingIsDropped) {
  for (const auto& [retouch, from_disk] :
       {std::pair{"pageout", true}, {"external", true}, {"dontneed", false}, {"remap", false}}) {
    SCOPED_TRACE(retouch);
    LoadRig load("mapped-fault", 1, mount_->file());
    ASSERT_NO_FATAL_FAILURE(
        prepare(load, {"file-size=1MiB", std::string("fault-retouch=") + retouch}));
    load.start();
    ASSERT_TRUE(load.until_ops(600));  // all of the file has been in the page cache
    const long before = major_faults();
    EXPECT_TRUE(load.until_ops(400));
    if (from_disk)
      EXPECT_GT(major_faults() - before, 100);
    else
      EXPECT_LT(major_faults() - before, 100);
    EXPECT_EQ(load.stop().mismatches, 0U);
  }
}

TEST_F(OnExt4, ColdStartReadsFromTheDisk) {
  for (const auto& [start, from_disk] : {std::pair{"cold", true}, {"populated", false}}) {
    LoadRig load("mapped-fault", 1, mount_->file());
    ASSERT_NO_FATAL_FAILURE(
        prepare(load, {"file-size=1MiB", "fault-order=sequential", "fault-retouch=none",
                       std::string("fault-start=") + start}));
    const long before = major_faults();
    load.start();
    ASSERT_TRUE(load.until_ops(400));
    load.stop();
    if (from_disk)
      EXPECT_GT(major_faults() - before, 100) << start;
    else
      EXPECT_EQ(major_faults() - before, 0) << start;
  }
}

// Each hole gives its blocks back, and another file takes them: then a write to the hole is
// answered by SIGBUS, for the file system has no block for it (ext4_page_mkwrite, ENOSPC).
TEST_F(OnExt4, WriteWithoutSpaceIsSigbusAndSurvived) {
  LoadRig load("mapped-fault", 1, mount_->file());
  ASSERT_NO_FATAL_FAILURE(prepare(load, {"file-size=4MiB", "fault-writes=100", "fault-window=64",
                                         "fault-retouch=hole", "verify=word"}));
  const Fd greedy(::open(mount_->file("greedy").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  std::uint64_t taken = 0;
  ::testing::internal::CaptureStderr();
  load.start();
  EXPECT_TRUE(load.until([&](const LoadTotals& now) {
    constexpr off_t kStep = 64 << 10;
    if (::fallocate(greedy.get(), 0, static_cast<off_t>(taken), kStep) == 0) taken += kStep;
    return now.sigbus > 2;
  }));
  ASSERT_EQ(::ftruncate(greedy.get(), 0), 0);
  EXPECT_TRUE(load.until_ops(1000)) << "it goes on when there is space again";
  const LoadTotals totals = load.stop();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(totals.mismatches, 0U) << said;
  EXPECT_NE(said.find("mapped-fault: SIGBUS at 0x"), std::string::npos) << said;
  EXPECT_NE(said.find("no space"), std::string::npos) << said;
}

TEST_F(OnExt4, WritesAreSyncedAndFoundAgainOnTheDisk) {
  for (const char* retouch : {"pageout", "external", "remap"}) {
    SCOPED_TRACE(retouch);
    LoadRig load("mapped-fault", 2, mount_->file());
    ASSERT_NO_FATAL_FAILURE(prepare(
        load,
        {"file-size=1MiB", "fault-writes=60", "fault-window=8", "fault-msync=sync",
         "fault-msync-every=8", "fault-protect-every=5", std::string("fault-retouch=") + retouch}));
    load.start();
    EXPECT_TRUE(load.until_ops(1500));
    const LoadTotals totals = load.stop();
    EXPECT_EQ(totals.mismatches + totals.errors + totals.sigbus, 0U);
  }
}

TEST_F(OnExt4, FileSystemThatIsFullRefusesTheFileAndIsLeftAsItWas) {
  LoadRig load("direct-io", 1, mount_->file());
  const auto refused = load.prepare({"io-file-size=64MiB"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("No space left on device"), std::string::npos)
      << refused.error().what;
  EXPECT_FALSE(std::filesystem::exists(mount_->file()));
}

TEST_F(OnExt4, DirectAndMappedLoadGoOnWhenUnmountedLazily) {
  LoadRig direct("direct-io", 2, mount_->file("direct"));
  LoadRig mapped("mapped-fault", 2, mount_->file("mapped"));
  ASSERT_NO_FATAL_FAILURE(prepare(direct, {"io-file-size=1MiB"}));
  ASSERT_NO_FATAL_FAILURE(prepare(mapped, {"file-size=1MiB", "fault-writes=20"}));
  direct.start();
  mapped.start();
  EXPECT_TRUE(direct.until_ops(300) && mapped.until_ops(300));
  mount_->detach();
  EXPECT_TRUE(direct.until_ops(300) && mapped.until_ops(300));
  for (LoadRig* load : {&direct, &mapped}) {
    const LoadTotals totals = load->stop();
    EXPECT_EQ(totals.mismatches + totals.errors + totals.sigbus, 0U);
  }
}

}  // namespace
}  // namespace stallproof
