// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/kernel_reports.h"

#include <gtest/gtest.h>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

TEST(KernelReports, LinesOfTroubleAreKnownInAllFormats) {
  for (const char* line : {
           "BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:77]",
           "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [a b:77]",
           "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
           "INFO: rcu_sched self-detected stall on CPU { 2}  (t=21001 jiffies g=8727 c=8726 q=223)",
           "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
           "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }",
           "BUG: workqueue lockup - pool cpus=2 node=0 flags=0x1 nice=0 stuck for 171s!",
           "blk_update_request: I/O error, dev sdb, sector 2048",
           "I/O error, dev vdb, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
           "end_request: critical medium error, dev sdc, sector 7",
           "Buffer I/O error on dev loop3, logical block 0, async page read",
           "nfs: server lab not responding, still trying",
           "nvme nvme0: I/O 12 QID 3 timeout, aborting",
       })
    EXPECT_EQ(classify_kernel_line(line), KernelLine::trouble) << line;
}

TEST(KernelReports, EachKindOfTroubleHasAName) {
  const auto named = [](const char* line) {
    const auto event = kernel_event(line);
    return event ? kernel_event_name(*event) : "none";
  };
  EXPECT_EQ(named("INFO: task java:12862 blocked for more than 120 seconds."), "hung_task");
  EXPECT_EQ(named("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [a b:77]"), "lockup");
  EXPECT_EQ(named("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"), "rcu_stall");
  EXPECT_EQ(named("BUG: workqueue lockup - pool cpus=2 node=0 stuck for 171s!"), "workqueue");
  EXPECT_EQ(named("blk_update_request: I/O error, dev sdb, sector 2048"), "io_error");
  EXPECT_EQ(named("Buffer I/O error on dev loop3, logical block 0"), "io_error");
  EXPECT_EQ(named("EXT4-fs error (device sdb1): ext4_find_entry:1455: inode #2"), "fs_error");
  EXPECT_EQ(named("XFS (dm-0): metadata I/O error in \"xfs_buf_ioend\""), "fs_error");
  EXPECT_EQ(named("nfs: server lab not responding, still trying"), "no_answer");
  EXPECT_EQ(named("EXT4-fs (loop3): mounted filesystem"), "none");
}

TEST(KernelReports, OrdinaryLinesAreNothing) {
  for (const char* line :
       {"", "loop3: detected capacity change from 0 to 2048",
        "rcu: Hierarchical RCU implementation.", "EXT4-fs (loop3): mounted filesystem",
        "NMI watchdog: Enabled.", "workqueue: max_active 1024 requested",
        "task blocked for more than ever"})
    EXPECT_EQ(classify_kernel_line(line), KernelLine::nothing) << line;
}

TEST(KernelReports, HungTaskIsNamedByTheNumberAfterTheLastColon) {
  EXPECT_EQ(hung_task_of_line("INFO: task java:12862 blocked for more than 120 seconds."), 12862U);
  EXPECT_EQ(
      hung_task_of_line("INFO: task kworker/u8:0+flush-8:0:99 blocked for more than 122 seconds."),
      99U);
  EXPECT_EQ(hung_task_of_line("INFO: task a b]:7 blocked in I/O wait for more than 30 seconds."),
            7U);
  for (const char* line :
       {"INFO: task java blocked for more than 120 seconds.",
        "INFO: task java: blocked for more than 120 seconds.",
        "INFO: task java:12x blocked for more than 120 seconds.",
        "INFO: task java:99999999999999 blocked for more than 120 seconds.", "INFO: task ", ""})
    EXPECT_FALSE(hung_task_of_line(line)) << line;
}

TEST(KernelReports, ReportSupportsTheMinuteAfterItAndThenNoMore) {
  KernelLog detector;
  ViewBuilder build;
  FindingList found;
  build.at(10 * kSecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());  // quiet without a report
  build.view.kernel_log = {.at_ns = 10 * kSecond, .count = 1, .subject = {"soft lockup"}};
  build.at(69 * kSecond);
  detector.check(build.view, found);
  ASSERT_EQ(count_of(found, FindingKind::kernel_log), 1U);
  EXPECT_STREQ(found.items()[0].subject.data(), "soft lockup");
  EXPECT_FALSE(found.items()[0].opens);
  found.clear();
  build.at(71 * kSecond);
  detector.check(build.view, found);
  EXPECT_TRUE(found.items().empty());
}

TEST(KernelReports, HungTaskOpensOnceAndOnlyForForeignLoad) {
  HungTasks detector;
  ViewBuilder build;
  FindingList found;
  build.at(10 * kSecond);
  build.view.hung_task = {.at_ns = 10 * kSecond, .count = 1, .tid = 7, .load = 0, .of_load = true};
  detector.check(build.view, found);
  ASSERT_EQ(count_of(found, FindingKind::hung_task), 1U);
  EXPECT_TRUE(found.items()[0].opens);
  found.clear();
  build.at(11 * kSecond);
  detector.check(build.view, found);
  EXPECT_FALSE(found.items()[0].opens);
  found.clear();
  build.at(12 * kSecond);
  build.view.hung_task = {.at_ns = 12 * kSecond, .count = 2, .tid = 8};
  detector.check(build.view, found);
  EXPECT_FALSE(found.items()[0].opens);
}

}  // namespace
}  // namespace stallproof
