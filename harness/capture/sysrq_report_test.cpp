// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/sysrq_report.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/fd.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

TEST(SysrqReport, ASmallMachineWithALargeLogIsAskedForAll) {
  const SysrqPlan plan = plan_sysrq({.tasks = 300, .processors = 4, .ring_bytes = 4 * kMiB});
  EXPECT_EQ(plan.letters, "wlmt");
  EXPECT_TRUE(plan.left_out.empty());
}

TEST(SysrqReport, TheListOfAllTasksIsLeftOutWhereItWouldPushTheLogOut) {
  const SysrqPlan plan = plan_sysrq({.tasks = 300, .processors = 4, .ring_bytes = kMiB});
  EXPECT_EQ(plan.letters, "wlm");
  ASSERT_EQ(plan.left_out.size(), 1U);
  EXPECT_NE(plan.left_out[0].find("all 300 tasks"), std::string::npos);
  EXPECT_NE(plan.left_out[0].find("log_buf_len"), std::string::npos);
}

TEST(SysrqReport, ManyTasksAreNotPrintedHoweverLargeTheLogIs) {
  const SysrqPlan plan = plan_sysrq({.tasks = 20'000, .processors = 4, .ring_bytes = 1024 * kMiB});
  EXPECT_EQ(plan.letters, "wlm");
}

TEST(SysrqReport, BlockedTasksAreAlwaysAsked) {
  const SysrqPlan plan = plan_sysrq({.tasks = 300, .processors = 256, .ring_bytes = 0});
  EXPECT_EQ(plan.letters, "wm");
  EXPECT_EQ(plan.left_out.size(), 2U);
}

int error_after(std::initializer_list<const char*> records) {
  SysrqAnswer answer;
  KmsgRecord record;
  for (const char* raw : records) {
    EXPECT_TRUE(parse_kmsg(raw, record)) << raw;
    note_record(record, answer);
  }
  return error_of(answer);
}

TEST(SysrqReport, TheKernelsOwnWordsDecide) {
  EXPECT_EQ(error_after({"6,1,5,-;SysRq : Show Blocked State\n"}), 0);  // 3.10
  EXPECT_EQ(error_after({"6,1,5,-;sysrq: Show Blocked State\n"}), 0);   // since 4.20
  EXPECT_EQ(error_after({"6,1,5,-;sysrq: This sysrq operation is disabled.\n"}), EPERM);
  EXPECT_EQ(error_after({"6,1,5,-;eth0: link becomes ready\n"}), ENODATA);
  EXPECT_EQ(error_after({"14,1,5,-;sysrq: Show Blocked State\n"}), ENODATA);  // a process wrote it
}

TEST(SysrqReport, TheRoomOfThisMachineIsRead) {
  const KernelLogRoom room = kernel_log_room();
  EXPECT_GT(room.tasks, 1U);
  EXPECT_GT(room.processors, 0U);
}

TEST(SysrqReport, AKernelWithoutSysrqIsAProblemInPlainWords) {
  EXPECT_NE(sysrq_problem(ENOTSUP).find("this kernel has no sysrq"), std::string::npos);
  if (::access(kSysrqTrigger, F_OK) == 0) {
    for (const ChangedSetting& setting : settings_for_sysrq())
      EXPECT_NE(setting.before, setting.ours) << setting.path;
    return;  // it is not asked here: that would fill this machine's log
  }
  const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(say_sysrq(nowhere.get(), {}), ENOTSUP);
  EXPECT_TRUE(settings_for_sysrq().empty());
}

TEST(SysrqReport, ARefusalIsSaidInTheKernelsOwnWords) {
  EXPECT_NE(sysrq_problem(EPERM).find("This sysrq operation is disabled"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
