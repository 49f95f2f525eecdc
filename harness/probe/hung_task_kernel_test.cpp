// SPDX-License-Identifier: Apache-2.0
// The kernel's own detector, made to look every second for the length of one test.
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/probe/hung_task_trace.h"
#include "harness/probe/testing/mmap_lock_trap.h"
#include "harness/probe/testing/stuck_fuse.h"

namespace stallproof {
namespace {

using testing::MmapLockTrap;
using testing::StuckFuse;
using testing::wait_for;

// Sets a sysctl and puts it back.
class SysctlFor {
 public:
  SysctlFor(std::string path, const std::string& value) : path_(std::move(path)) {
    const auto before = read_file(path_, 64);
    if (!before) return;
    before_ = before->substr(0, before->find('\n'));
    there_ = write_control_file(path_, value).has_value();
  }
  SysctlFor(const SysctlFor&) = delete;
  SysctlFor& operator=(const SysctlFor&) = delete;
  ~SysctlFor() {
    if (!there_) return;
    EXPECT_TRUE(write_control_file(path_, before_));
  }
  [[nodiscard]] bool there() const { return there_; }

 private:
  std::string path_;
  std::string before_;
  bool there_ = false;
};

TEST(HungTaskTrace, ReportIsSeenAlthoughTheKernelLogIsSilent) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  if (::access("/dev/fuse", R_OK) != 0) GTEST_SKIP() << "needs /dev/fuse";
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "needs BTF";
  auto trace = HungTaskTrace::open();
  ASSERT_TRUE(trace) << trace.error().what;
  const SysctlFor silent("/proc/sys/kernel/hung_task_warnings", "0");
  const SysctlFor timeout("/proc/sys/kernel/hung_task_timeout_secs", "1");
  ASSERT_TRUE(silent.there());
  ASSERT_TRUE(timeout.there());

  auto fuse = StuckFuse::start(1);
  ASSERT_TRUE(fuse) << fuse.error().what;
  MmapLockTrap trap(fuse->file());
  ASSERT_TRUE(trap.start_faults());
  ::usleep(200'000);
  ASSERT_TRUE(trap.start_writer());
  ::usleep(200'000);
  ASSERT_TRUE(trap.start_peer());  // waits uninterruptibly: the one that the kernel reports
  std::optional<HungTask> seen;
  const bool found = wait_for(15 * kSecond, [&] {
    while (auto report = trace->next())
      if (report->tid == trap.board().peer.load()) seen = report;
    return seen.has_value();
  });
  fuse->heal();
  ASSERT_TRUE(found);
  EXPECT_NE(seen->tgid, 0);
  EXPECT_NE(seen->comm[0], '\0');
}

}  // namespace
}  // namespace stallproof
