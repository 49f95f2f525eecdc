// SPDX-License-Identifier: Apache-2.0
// Stalls around a file-system service, made here and now: one that waits for itself, one that keeps
// a directory or an execve waiting, a file system that is frozen, and a userfaultfd.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "harness/capture/testing/lab_disk.h"
#include "harness/capture/testing/lab_fuse.h"
#include "harness/capture/testing/lab_process.h"
#include "harness/capture/testing/stall_lab.h"

namespace stallproof::testing {
namespace {

constexpr std::size_t kPage = 4096;
char* page = nullptr;  // in the load's process

bool nothing() { return true; }

class ServiceStallTest : public StallTest {
 protected:
  void SetUp() override {
    StallTest::SetUp();
    if (IsSkipped()) return;
    auto fuse = LabFuse::start();
    ASSERT_TRUE(fuse) << fuse.error().what;
    fuse_.emplace(std::move(*fuse));
  }
  LabProcess load_;
  std::optional<LabFuse> fuse_;  // healed before the load is ended
};

TEST_F(ServiceStallTest, AServerOnItsOwnMountWaitsForItself) {
  const std::string self = fuse_->path("self");
  ASSERT_TRUE(load_.start(nothing, {{"asker", [self] {
                                       struct stat found {};
                                       ::stat(self.c_str(), &found);
                                     }}}));
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "fs_self_wait:service_request") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(fuse_->server()));
  EXPECT_TRUE(result.cycle.has_value());
}

TEST_F(ServiceStallTest, ANameThatIsNotAnsweredLocksItsDirectory) {
  const std::string made = fuse_->path("made");
  const std::string other = fuse_->path("other");
  ASSERT_TRUE(load_.start(nothing, {{"maker", [made] { ::mkdir(made.c_str(), 0755); }},
                                    {"second", [other] { ::mkdir(other.c_str(), 0755); }},
                                    {"third", [other] {
                                       ::open(other.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
                                     }}}));
  for (const std::size_t step : {0U, 1U, 2U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "dir_lock:request>directory") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
}

TEST_F(ServiceStallTest, TwoLookUpsOfOneNameWaitForEachOther) {
  const std::string slow = fuse_->path("slow");
  const auto look = [slow] {
    struct stat found {};
    ::stat(slow.c_str(), &found);
  };
  ASSERT_TRUE(load_.start(nothing, {{"first", look}, {"second", look}}));
  for (const std::size_t step : {0U, 1U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "dir_lock:request>directory") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
}

TEST_F(ServiceStallTest, AnExecThatClosesAFileOfADeadServerIsStuck) {
  const std::string file = fuse_->path("file");
  ASSERT_TRUE(load_.start([file] { return ::open(file.c_str(), O_RDWR | O_CLOEXEC) >= 0; },
                          {{"execer", [] {
                              char name[] = "true";
                              char* const words[] = {name, nullptr};
                              ::execv("/bin/true", words);
                            }}}));
  ASSERT_TRUE(fuse_->stop());
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "exec_stuck:exec>service_stopped") << result.summary;
  // It has taken the process's number over.
  EXPECT_EQ(result.root.holder, task_id(load_.pid()));
}

TEST_F(ServiceStallTest, AFaultThatNobodyResolvesIsNamed) {
  const auto prepare = [] {
    const auto fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
    uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
    page = static_cast<char*>(
        ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    uffdio_register all{};
    all.range = {.start = reinterpret_cast<std::uint64_t>(page), .len = kPage};
    all.mode = UFFDIO_REGISTER_MODE_MISSING;
    return fd >= 0 && ::ioctl(fd, UFFDIO_API, &api) == 0 && ::ioctl(fd, UFFDIO_REGISTER, &all) == 0;
  };
  ASSERT_TRUE(load_.start(prepare, {{"toucher", [] { page[0] = 1; }}}));
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "fault_unresolved:fault>userfaultfd") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
}

class FrozenStallTest : public StallTest {
 protected:
  void SetUp() override {
    StallTest::SetUp();
    if (IsSkipped()) return;
    auto disk = LabDisk::make();
    ASSERT_TRUE(disk) << disk.error().what;
    disk_ = std::move(*disk);
  }
  // Maps a page of a file and reads it, so that only its first write is left.
  bool map_clean() {
    const int fd = ::open(disk_->path("data").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (::ftruncate(fd, kPage) != 0) return false;
    void* const made = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    page = static_cast<char*>(made);
    return made != MAP_FAILED && static_cast<volatile char*>(page)[0] == 0;
  }
  LabProcess load_;
  std::unique_ptr<LabDisk> disk_;  // thawed before the load is ended
};

TEST_F(FrozenStallTest, WritersOfAFrozenFileSystemWaitForTheThaw) {
  const std::string made = disk_->path("made");
  const std::string old = disk_->path("old");
  ASSERT_TRUE(load_.start(nothing, {{"maker", [made] { ::mkdir(made.c_str(), 0755); }},
                                    {"opener", [old] {
                                       const int fd =
                                           ::open(old.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
                                       if (::write(fd, "x", 1) < 0) return;
                                     }}}));
  ASSERT_TRUE(disk_->freeze());
  for (const std::size_t step : {0U, 1U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "fs_frozen:write>frozen_fs") << result.summary;
  EXPECT_NE(result.advice.find("fsfreeze -u " + disk_->mount_point()), std::string::npos)
      << result.advice;
}

TEST_F(FrozenStallTest, AFaultOnAFrozenFileSystemHoldsItsVmaLock) {
  ASSERT_TRUE(load_.start(
      [this] { return map_clean(); },
      {{"toucher", [] { page[0] = 1; }}, {"writer", [] { ::mprotect(page, kPage, PROT_READ); }}}));
  ASSERT_TRUE(disk_->freeze());
  for (const std::size_t step : {0U, 1U}) ASSERT_TRUE(load_.go(step));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "vma_lock_held:fault_read>mprotect_write") << result.summary;
  EXPECT_EQ(result.root.holder, task_id(load_.tid(0)));
  EXPECT_NE(result.summary.find("frozen file system"), std::string::npos) << result.summary;
  EXPECT_NE(result.advice.find("fsfreeze -u " + disk_->mount_point()), std::string::npos)
      << result.advice;
}

TEST_F(FrozenStallTest, ReadersOfAFrozenFileSystemAreQuiet) {
  const std::string root = disk_->mount_point();
  ASSERT_TRUE(load_.start(nothing, {{"reader", [root] {
                                       struct stat found {};
                                       ::stat(root.c_str(), &found);
                                     }}}));
  ASSERT_TRUE(disk_->freeze());
  ASSERT_TRUE(load_.go(0));
  EXPECT_TRUE(load_.done(0));
  EXPECT_EQ(explained({load_.pid()}).stall_class, "none");
}

}  // namespace
}  // namespace stallproof::testing
