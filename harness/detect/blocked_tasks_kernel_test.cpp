// SPDX-License-Identifier: Apache-2.0
// Who counts as blocked on the running kernel: the parent of a vfork, the frozen and the stopped do
// not, whatever ps shows; a fault that waits for a silent file system does.
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>

#include "harness/base/file.h"
#include "harness/detect/blocked_tasks.h"
#include "harness/probe/decode_scan.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/scan_walk.h"
#include "harness/probe/testing/mmap_lock_trap.h"
#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof {
namespace {

using testing::kill_and_reap;
using testing::wait_for;

class BlockedTasksKernel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (::access("/dev/fuse", R_OK) != 0) GTEST_SKIP() << "needs /dev/fuse";
    if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
    auto scan = KernelScan::open();
    ASSERT_TRUE(scan) << scan.error().what;
    scan_.emplace(std::move(*scan));
    quiet_.open();
    EXPECT_GT(quiet_.known(), 0U);
  }
  std::optional<ScanTask> look(pid_t tid, KernelScan::Depth depth = KernelScan::Depth::full) {
    const auto used = scan_->scan(buffer_, depth);
    EXPECT_TRUE(used);
    size_ = *used;
    std::optional<ScanTask> found;
    for_each_task({buffer_.data(), size_}, [&](const ScanTask& task) {
      if (task.tid == tid) found = task;
    });
    return found;
  }
  static pid_t start(const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    body();
    ::_exit(0);
  }

  std::optional<KernelScan> scan_;
  QuietFunctions quiet_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(1 << 20);
  std::size_t size_ = 0;
};

TEST_F(BlockedTasksKernel, ParentOfAVforkIsInDAndNotBlocked) {
  const pid_t parent = start([] {
    ::setpgid(0, 0);
    if (::vfork() == 0) {
      ::pause();
      ::_exit(0);
    }
  });
  std::optional<ScanTask> task;
  const bool seen = wait_for(3 * kSecond, [&] {
    task = look(parent);
    return task && (task->state & 2U) != 0;
  });
  const bool blocked = seen && is_blocked(*task, quiet_);
  ::kill(-parent, SIGKILL);
  kill_and_reap(parent);
  ASSERT_TRUE(seen);
  EXPECT_FALSE(blocked);
}

TEST_F(BlockedTasksKernel, FrozenTaskIsNotBlocked) {
  const std::string freezer = "/sys/fs/cgroup/freezer";
  if (::access((freezer + "/tasks").c_str(), W_OK) != 0)
    GTEST_SKIP() << "needs the freezer of cgroup v1 (that of v2 leaves tasks in S)";
  const std::string group = freezer + "/stallproof-test-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(group.c_str(), 0755), 0);
  const pid_t sleeper = start([] { ::poll(nullptr, 0, 60'000); });
  ASSERT_TRUE(scan_->watch(sleeper));
  ASSERT_TRUE(write_control_file(group + "/tasks", std::to_string(sleeper)));
  ASSERT_TRUE(write_control_file(group + "/freezer.state", "FROZEN"));
  ::poll(nullptr, 0, 200);
  const auto frozen = look(sleeper);
  EXPECT_TRUE(write_control_file(group + "/freezer.state", "THAWED"));
  EXPECT_TRUE(kill_and_reap(sleeper));
  EXPECT_TRUE(wait_for(3 * kSecond, [&] { return ::rmdir(group.c_str()) == 0; }));
  ASSERT_TRUE(frozen);
  EXPECT_FALSE(is_blocked(*frozen, quiet_)) << std::hex << frozen->state;
}

TEST_F(BlockedTasksKernel, StoppedTaskIsNotBlocked) {
  const pid_t stopped = start([] { ::raise(SIGSTOP); });
  ASSERT_TRUE(scan_->watch(stopped));
  ::poll(nullptr, 0, 100);
  const auto task = look(stopped);
  EXPECT_TRUE(kill_and_reap(stopped));
  ASSERT_TRUE(task);
  EXPECT_FALSE(is_blocked(*task, quiet_)) << std::hex << task->state;
}

// Also what the quick scan sees of it: the queue and who is in D, and that it was a quick one.
TEST_F(BlockedTasksKernel, QueueOfASilentFileSystemIsBlockedInFullAndQuickScans) {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  auto fuse = testing::StuckFuse::start(1);
  ASSERT_TRUE(fuse) << fuse.error().what;
  testing::MmapLockTrap trap(fuse->file());
  struct Heal {
    testing::StuckFuse& fuse;
    ~Heal() { fuse.heal(); }
  } heal{*fuse};
  ASSERT_TRUE(trap.start_faults());
  ::poll(nullptr, 0, 200);
  ASSERT_TRUE(trap.start_writer());
  for (const auto depth : {KernelScan::Depth::full, KernelScan::Depth::quick}) {
    std::optional<ScanTask> writer;
    ASSERT_TRUE(wait_for(3 * kSecond, [&] {
      writer = look(trap.board().writer, depth);
      return writer && is_blocked(*writer, quiet_);
    }));
    EXPECT_NE(writer->frames[0], 0U);
    EXPECT_EQ(is_quick_scan({buffer_.data(), size_}), depth == KernelScan::Depth::quick);
    std::size_t queues = 0;
    for_each_record<ScanLock>({buffer_.data(), size_}, SCAN_LOCK, [&](const ScanLock& lock) {
      queues += lock.tgid == trap.client() ? 1 : 0;
    });
    EXPECT_EQ(queues, 1U);
  }
}

}  // namespace
}  // namespace stallproof
