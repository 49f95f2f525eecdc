// SPDX-License-Identifier: Apache-2.0
// Stalls of block devices, made here and now: a loop device whose backing file lies on a FUSE file
// system that does not answer, seen by those who wait in D and in S; and I/O that a limit of a
// cgroup holds back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <sys/mman.h>

#include <cstdlib>

#include "harness/capture/testing/lab_cgroup.h"
#include "harness/capture/testing/lab_disk.h"
#include "harness/capture/testing/lab_fuse.h"
#include "harness/capture/testing/lab_loop.h"
#include "harness/capture/testing/lab_process.h"
#include "harness/capture/testing/stall_lab.h"

namespace stallproof::testing {
namespace {

constexpr std::size_t kPage = 4096;
int file = -1;  // in the load's process
void* buffer = nullptr;

bool open_direct(const std::string& path, int flags) {
  file = ::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC | flags, 0644);
  return file >= 0 && ::posix_memalign(&buffer, kPage, kPage) == 0;
}
void read_page() {
  if (::pread(file, buffer, kPage, 0) < 0) return;
}
void read_by_ring() {
  io_uring ring{};
  if (::io_uring_queue_init(4, &ring, 0) != 0) return;
  io_uring_sqe* const entry = ::io_uring_get_sqe(&ring);
  ::io_uring_prep_read(entry, file, buffer, kPage, 0);
  ::io_uring_submit(&ring);
  io_uring_cqe* done = nullptr;
  ::io_uring_wait_cqe(&ring, &done);
}

class DeviceStallTest : public StallTest {
 protected:
  void SetUp() override {
    StallTest::SetUp();
    if (IsSkipped()) return;
    auto fuse = LabFuse::start();
    ASSERT_TRUE(fuse) << fuse.error().what;
    fuse_.emplace(std::move(*fuse));
    const Fd backing(::open(fuse_->path("file").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(loop_.attach(backing.get()));
  }
  LabLoop loop_;
  LabProcess load_;
  std::optional<LabFuse> fuse_;  // healed before the load is ended
};

TEST_F(DeviceStallTest, ALoopDeviceOnADeadFileSystemIsStuck) {
  ASSERT_TRUE(
      load_.start([this] { return open_direct(loop_.path(), 0); }, {{"reader", read_page}}));
  ASSERT_TRUE(fuse_->stop());
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "device_stuck:request>device>service_stopped") << result.summary;
  EXPECT_NE(result.summary.find(loop_.name()), std::string::npos) << result.summary;
  EXPECT_NE(result.summary.find(fuse_->path("file")), std::string::npos) << result.summary;
  EXPECT_NE(result.summary.find("FUSE connection"), std::string::npos) << result.summary;
}

TEST_F(DeviceStallTest, WhoWaitsForItInARingIsSeenInS) {
  ASSERT_TRUE(
      load_.start([this] { return open_direct(loop_.path(), 0); }, {{"ringer", read_by_ring}}));
  ASSERT_TRUE(fuse_->stop());
  ASSERT_TRUE(load_.go(0));
  const Explanation result = explained({load_.pid()});
  EXPECT_EQ(result.signature, "device_stuck:request>device>service_stopped") << result.summary;
}

TEST_F(DeviceStallTest, ALoopDeviceThatAnswersIsQuiet) {
  ASSERT_TRUE(
      load_.start([this] { return open_direct(loop_.path(), 0); }, {{"reader", read_page}}));
  ASSERT_TRUE(load_.go(0));
  EXPECT_EQ(explained({load_.pid()}).stall_class, "none");
}

class ThrottledStallTest : public StallTest {
 protected:
  void SetUp() override {
    StallTest::SetUp();
    if (IsSkipped()) return;
    group_ = LabCgroup::make("blkio");
    if (!group_) GTEST_SKIP() << "no blkio hierarchy of cgroup v1";
    auto disk = LabDisk::make();
    ASSERT_TRUE(disk) << disk.error().what;
    disk_ = std::move(*disk);
    const std::string path = disk_->path("data");
    ASSERT_TRUE(load_.emplace().start(
        [path] { return open_direct(path, O_CREAT) && ::pwrite(file, buffer, kPage, 0) == kPage; },
        {{"reader", read_page}, {"ringer", read_by_ring}}));
    ASSERT_TRUE(group_->add(load_->pid()));
  }
  void TearDown() override {
    if (group_ && disk_) group_->set("blkio.throttle.read_bps_device", disk_->device() + " 0");
    load_.reset();
  }
  std::unique_ptr<LabCgroup> group_;
  std::unique_ptr<LabDisk> disk_;
  std::optional<LabProcess> load_;
};

TEST_F(ThrottledStallTest, ALimitOfItsCgroupIsNamed) {
  ASSERT_TRUE(group_->set("blkio.throttle.read_bps_device", disk_->device() + " 64"));
  ASSERT_TRUE(load_->go(0));
  const Explanation result = explained({load_->pid()});
  EXPECT_EQ(result.signature, "throttled:request>io_limit") << result.summary;
  EXPECT_NE(result.summary.find("blkio.throttle.read_bps_device " + disk_->device() + " 64"),
            std::string::npos)
      << result.summary;
}

TEST_F(ThrottledStallTest, WhoWaitsForItInARingIsSeenInS) {
  ASSERT_TRUE(group_->set("blkio.throttle.read_bps_device", disk_->device() + " 64"));
  ASSERT_TRUE(load_->go(1));
  const Explanation result = explained({load_->pid()});
  EXPECT_EQ(result.signature, "throttled:request>io_limit") << result.summary;
}

TEST_F(ThrottledStallTest, ALimitThatIsNotReachedIsQuiet) {
  ASSERT_TRUE(group_->set("blkio.throttle.read_bps_device", disk_->device() + " 1073741824"));
  ASSERT_TRUE(load_->go(0));
  EXPECT_TRUE(load_->done(0));
  EXPECT_EQ(explained({load_->pid()}).stall_class, "none");
}

}  // namespace
}  // namespace stallproof::testing
