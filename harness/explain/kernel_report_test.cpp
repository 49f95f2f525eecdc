// SPDX-License-Identifier: Apache-2.0
// The samples are ours, written after the kernel's own printk formats.
#include "harness/explain/kernel_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/prng.h"
#include "harness/base/testing/tree_places.h"
#include "harness/explain/log/report_text.h"

namespace stallproof {
namespace {

std::string sample(const std::string& name) {
  auto text = read_file(source_file("harness/explain/log/samples/" + name));
  EXPECT_TRUE(text) << name;
  return text ? *text : std::string{};
}

// The only report of a text.
LogReport only(const std::string& text) {
  const KernelReports read = parse_kernel_reports(text);
  EXPECT_EQ(read.reports.size(), 1U) << text;
  return read.reports.empty() ? LogReport{} : read.reports.front();
}

TEST(LogReport, HungTasksOfEveryKernelAreRead) {
  EXPECT_EQ(read_all(sample("hung-3.10.log")),
            Lines{"1 hung_task java/2821 120 brickfs_setattr [task hung in brickfs_setattr]"});
  EXPECT_EQ(read_all(sample("hung-4.18-journal.log")),
            Lines{"1 hung_task FwgThread OpFor/15341 120 write_cache_pages [task hung in "
                  "write_cache_pages]"});
  EXPECT_EQ(read_all(sample("hung-6.1-date.log")),
            Lines{"1 hung_task kworker/u8:0+flush-8:0/91 245 blk_mq_get_tag [task hung in "
                  "blk_mq_get_tag]"});
  EXPECT_EQ(read_all(sample("hung-6.18-owners.log")),
            (Lines{"1 hung_task java/22 122 ext4_buffered_write_iter [task hung in "
                   "ext4_buffered_write_iter]",
                   "22 hung_task zsh/470 122 fuse_lock_owner_wait [task hung in "
                   "fuse_lock_owner_wait]"}));
  EXPECT_EQ(read_all(sample("hung-other-words.log")),
            (Lines{"1 hung_task dd/77 131 filemap_get_pages [task hung in filemap_get_pages]",
                   "10 hung_task can't die /78 143 truncate_loop [task can't die in "
                   "truncate_loop]",
                   "17 hung_task hisi_worker/79 120  [task hung]",
                   "18 hung_task a: [b] (c)/80 368  [task hung]"}));
}

TEST(LogReport, StacksOfEveryArchitectureAreRead) {
  EXPECT_EQ(read_all(sample("architectures.log")),
            (Lines{"1 hung_task mmcqd/0/88 120 __mmc_claim_host [task hung in __mmc_claim_host]",
                   "6 hung_task newarm/89 120 brick_arm_sleep [task hung in brick_arm_sleep]",
                   "10 hung_task httpd/5151 120 ploop_thaw_wait [task hung in ploop_thaw_wait]",
                   "14 hung_task mips/6 120 usb_stor_control_thread [task hung in "
                   "usb_stor_control_thread]",
                   "20 hung_task guess/7 120 only_guessed [task hung in only_guessed]"}));
}

TEST(LogReport, LockupsBlameWhatTheCpuRan) {
  EXPECT_EQ(
      read_all(sample("lockups.log")),
      (Lines{"1 soft_lockup kworker/1:2/1234 22 brick_scan_pages [soft lockup in brick_scan_pages]",
             "11 soft_lockup a [b]: c/77 26 smp_call_function_many_cond [soft lockup in "
             "smp_call_function_many_cond]",
             "23 soft_lockup swapper/0 67  [soft lockup]",
             "24 hard_lockup fio/50 - blk_finish_plug_list [hard lockup in blk_finish_plug_list]",
             "30 hard_lockup fio/51 - brick_spin_forever [hard lockup in brick_spin_forever]",
             "33 hard_lockup /-1 - pseries_wait_more [hard lockup in pseries_wait_more]",
             "34 hard_lockup /-1 -  [hard lockup]"}));
  EXPECT_EQ(
      read_all(sample("hard-lockup-panic.log")),
      Lines{"1 hard_lockup brickd/0/3012 - brick_flush_all [hard lockup in brick_flush_all]"});
}

TEST(LogReport, RcuStallsOldAndNewAreRead) {
  EXPECT_EQ(read_all(sample("rcu.log")),
            (Lines{"1 rcu_stall java/3311 - brick_walk_tree [rcu stall in brick_walk_tree]",
                   "10 rcu_stall /-1 -  [rcu stall]",
                   "12 rcu_stall brickd/1544 - brick_rehash [rcu stall in brick_rehash]",
                   "26 rcu_stall fio/909 - brick_poll [rcu expedited stall in brick_poll]",
                   "31 rcu_stall /-1 -  [rcu stall]", "32 rcu_stall /-1 -  [rcu stall]",
                   "33 rcu_stall tar/611 - unpack_forever [rcu stall in unpack_forever]"}));
  EXPECT_EQ(only("rcu: rcu_sched kthread starved for 5252 jiffies! g901 f0x0\n").title,
            "rcu kthread starved");
  EXPECT_EQ(only("rcu: rcu_sched kthread timer wakeup didn't happen for 5252 jiffies! g901\n").kind,
            ReportKind::rcu_stall);
}

TEST(LogReport, WorkqueueLockupsBlameTheWorkOfTheStuckPool) {
  EXPECT_EQ(read_all(sample("workqueue.log")),
            (Lines{"1 workqueue_lockup /99 31 brick_scrub_fn [workqueue lockup in brick_scrub_fn]",
                   "2 workqueue_lockup /14164 171 vmstat_shepherd_fn [workqueue lockup in "
                   "vmstat_shepherd_fn]",
                   "11 workqueue_lockup kworker/1:0H/19 40 brick_requeue [workqueue lockup in "
                   "brick_requeue]"}));
}

TEST(LogReport, LockdepTitlesNameTheLockClasses) {
  EXPECT_EQ(read_all(sample("lockdep.log")),
            (Lines{"1 lockdep brickd/3/1204 - might_fault_in [circular locking: "
                   "&(&brick->lock)->rlock -> &mm->mmap_sem]",
                   "2 lockdep mount/812 - brick_fill_super [recursive locking: "
                   "&type->s_umount_key]",
                   "9 lockdep swapper/0/0 - brick_poke [inconsistent lock state: &q->lock]",
                   "13 lockdep fio/90 - fault_in_readable_pages [circular locking: sb_pagefaults "
                   "-> &sb->s_type->i_mutex_key -> &mm->mmap_lock]"}));
}

TEST(LogReport, SysrqShowsBlockedTasksOnly) {
  const KernelReports read = parse_kernel_reports(sample("sysrq.log"));
  EXPECT_EQ(read_all(sample("sysrq.log")),
            (Lines{"3 sysrq_blocked java/2821 - jbd2_log_wait_commit [task blocked in "
                   "jbd2_log_wait_commit]",
                   "9 sysrq_blocked systemd-tmpfile/5135 - autofs_wait [task blocked in "
                   "autofs_wait]",
                   "21 sysrq_blocked brick/4242 - mnt_want_write [task blocked in "
                   "mnt_want_write]"}));
  ASSERT_EQ(read.problems.size(), 1U);
  EXPECT_EQ(read.problems[0].line, 30U);
  EXPECT_NE(read.problems[0].what.find("refused"), std::string::npos);
}

TEST(LogReport, ErrorsOfDevicesAndFileSystemsAreRead) {
  const Lines lines = read_all(sample("errors.log"));
  ASSERT_EQ(lines.size(), 35U);
  EXPECT_EQ(lines[0], "1 io_error /-1 -  [I/O error on sda]");
  EXPECT_EQ(lines[2], "3 io_error /-1 -  [I/O error on sdc, WRITE]");
  EXPECT_EQ(lines[3], "4 io_error /-1 -  [medium error on sdd, READ]");
  EXPECT_EQ(lines[8], "9 io_error /-1 -  [nvme timeout on nvme0]");
  EXPECT_EQ(lines[19],
            "20 fs_error my ls/-1 - ext4_find_entry [EXT4-fs error on sda1 in ext4_find_entry]");
  EXPECT_EQ(lines[24], "25 fs_error /-1 -  [journal of dm-0-8 aborted]");
  EXPECT_EQ(lines[28],
            "29 fs_error /-1 - xlog_ioend_work [XFS on dm-1 shut down in xlog_ioend_work]");
  EXPECT_EQ(lines[31], "32 fs_error /-1 -  [BTRFS on sdb read-only]");
  EXPECT_EQ(lines[33], "34 io_error /-1 -  [nfs: server filer.example not responding]");
}

TEST(LogReport, ReportsOfDifferentCpusAreKeptApart) {
  EXPECT_EQ(read_all(sample("interleaved.log")),
            (Lines{"1 hung_task java/22 122 java_sleeps [task hung in java_sleeps]",
                   "2 soft_lockup fio/77 26 fio_spins [soft lockup in fio_spins]",
                   "9 io_error /-1 -  [I/O error on sdc, READ]",
                   "15 rcu_stall tar/611 - stuck_on_two [rcu stall in stuck_on_two]",
                   "22 hung_task new\nline/23 122  [task hung]"}));
}

TEST(LogReport, InnocentLinesAreNotReported) {
  const KernelReports read = parse_kernel_reports(sample("innocent.log"));
  for (const LogReport& report : read.reports) ADD_FAILURE() << told(report);
  for (const TextProblem& problem : read.problems) ADD_FAILURE() << problem.line << problem.what;
  EXPECT_TRUE(read.is_kernel_log);
  EXPECT_FALSE(parse_kernel_reports("a letter\nto somebody\n").is_kernel_log);
}

TEST(LogReport, OwnersOfLocksBelongToTheirReport) {
  const KernelReports read = parse_kernel_reports(sample("hung-6.18-owners.log"));
  ASSERT_EQ(read.reports.size(), 2U);
  ASSERT_EQ(read.reports[0].owners.size(), 1U);
  const ReportOwner& first = read.reports[0].owners[0];
  EXPECT_EQ(first.lock, ReportLock::rwsem);
  EXPECT_EQ(first.waits, LockMode::write);
  EXPECT_EQ(first.task, "a:b c");
  EXPECT_EQ(first.pid, 21);
  EXPECT_EQ(first.holds, LockMode::read);
  EXPECT_EQ(first.line, 15U);
  ASSERT_EQ(read.reports[1].owners.size(), 3U);
  EXPECT_EQ(read.reports[1].owners[0].task, "zsh");
  EXPECT_EQ(read.reports[1].owners[1].lock, ReportLock::semaphore);
  EXPECT_EQ(read.reports[1].owners[1].pid, 3);
  EXPECT_TRUE(read.reports[1].owners[2].task.empty());
}

TEST(LogReport, CommMayHoldANewline) {
  EXPECT_EQ(only("[ 1.2] INFO: task a\n[ 1.2] b:22 blocked for more than 122 seconds.\n").task,
            "a\nb");
}

TEST(LogReport, PanicIsAReportOnlyWhereItsReasonIsMissing) {
  EXPECT_EQ(only("Kernel panic - not syncing: hung_task: blocked tasks\n").title, "task hung");
  EXPECT_EQ(only("Kernel panic - not syncing: softlockup: hung tasks\n").kind,
            ReportKind::soft_lockup);
  EXPECT_EQ(only("Kernel panic - not syncing: Hard LOCKUP\n").kind, ReportKind::hard_lockup);
  EXPECT_EQ(only("Kernel panic - not syncing: RCU Stall\n").kind, ReportKind::rcu_stall);
  EXPECT_EQ(only("watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [fio:77]\n"
                 "Kernel panic - not syncing: softlockup: hung tasks\n")
                .pid,
            77);
  EXPECT_TRUE(read_all("Kernel panic - not syncing: VFS: Unable to mount root fs\n").empty());
}

TEST(LogReport, CutHeadersAreProblemsAndNeverGuessed) {
  for (const char* cut :
       {"INFO: task java:22 blo", "INFO: task java:22 blocked for more than 12",
        "INFO: task java:22 blocked for more than 122 sec", "BUG: soft lockup - CPU#1 st",
        "watchdog: BUG: soft lo", "BUG: soft lockup - CPU#1 stuck for 22s! [java:12",
        "rcu: INFO: rcu_sched self-detec", "BUG: workqueue lockup - po",
        "BUG: workqueue lockup - pool cpus=2 node=0 stuck for 1", "WARNING: possible circular loc",
        "INFO: task java:22 is blocked on a mutex likely ow", "Watchdog detected hard LOC"}) {
    const KernelReports read = parse_kernel_reports(cut);
    EXPECT_EQ(read.problems.size(), 1U) << cut;
    for (const LogReport& report : read.reports) {
      EXPECT_NE(report.pid, 12) << cut;
      EXPECT_TRUE(!report.seconds || *report.seconds == 122 || *report.seconds == 22) << cut;
    }
  }
}

// Wherever a log ends, what it reports is in the whole log too.
TEST(LogReport, EndOfTheLogInventsNothing) {
  for (const char* name :
       {"hung-3.10.log", "hung-6.18-owners.log", "lockups.log", "rcu.log", "workqueue.log",
        "lockdep.log", "sysrq.log", "interleaved.log", "architectures.log"}) {
    const std::string whole = sample(name);
    const std::vector<LogReport> all = parse_kernel_reports(whole).reports;
    for (std::size_t end = 0; end < whole.size(); ++end)
      for (const LogReport& cut : parse_kernel_reports(whole.substr(0, end)).reports)
        ASSERT_TRUE(std::any_of(all.begin(), all.end(),
                                [&cut](const LogReport& each) {
                                  return each.kind == cut.kind && each.line == cut.line &&
                                         (cut.pid == each.pid || cut.pid < 0 ||
                                          cut.kind == ReportKind::rcu_stall);
                                }))
            << name << " cut at " << end << ": " << told(cut);
  }
}

TEST(LogReport, NoBytesCrash) {
  Prng random(7);
  for (const char* name : {"rcu.log", "lockdep.log", "interleaved.log", "errors.log"}) {
    const std::string text = sample(name);
    for (int round = 0; round < 40; ++round) {
      std::string damaged = text;
      for (int i = 0; i < 20; ++i)
        damaged[random.next() % damaged.size()] = static_cast<char>(random.next() & 0xffU);
      parse_kernel_reports(damaged);
    }
  }
  std::string garbage(4096, '\0');
  for (char& byte : garbage) byte = static_cast<char>(random.next() & 0xffU);
  EXPECT_TRUE(parse_kernel_reports(garbage).reports.empty());
}

TEST(LogReport, SameTroubleHasOneTitle) {
  const auto title = [](const char* frame, const char* pid) {
    return only(fmt::format("INFO: task a:{0} blocked for more than 122 seconds.\n"
                            "task:a state:D stack:0 pid:{0} ppid:1 flags:0x0\n {1}\n",
                            pid, frame))
        .title;
  };
  EXPECT_EQ(title("brick_wait+0x1/0x2 [brickfs]", "22"),
            title("brick_wait.isra.0.constprop.3+0x91/0xa2 [brickfs 12ab34cd]", "9023"));
}

TEST(LogReport, GroupsCountTitlesAndKeepTheFirst) {
  const KernelReports read = parse_kernel_reports(
      "I/O error, dev sda, sector 1\nI/O error, dev sdb, sector 1\nI/O error, dev sda, sector 2\n");
  const auto groups = grouped_by_title(read.reports);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].count, 2U);
  EXPECT_EQ(groups[0].first->line, 1U);
}

}  // namespace
}  // namespace stallproof
