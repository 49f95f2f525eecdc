// SPDX-License-Identifier: Apache-2.0
// What consoles, loggers, mail and other tools do to a log. The texts are ours.
#include <gtest/gtest.h>

#include "harness/explain/log/report_text.h"

namespace stallproof {
namespace {

const char* const kDisk = "I/O error, dev sdz, sector 8";
const Lines kOne = {"1 io_error /-1 -  [I/O error on sdz]"};

TEST(LogForms, PromptsAndLinesWithoutEndAreTakenApart) {
  for (const char* before : {"/ # ", "lab login: ", "~ $ [  12.345677] eth0: link up",
                             "Jun 27 15:21:34 lab kernel: [  12.345677] ->state=0x402", "11745 "})
    EXPECT_EQ(read_all(std::string(before) + "[  12.345678] " + kDisk + "\n"), kOne) << before;
  EXPECT_EQ(
      read_all(std::string("[  12.345678] ") + kDisk + "[  12.345679] " + kDisk + "\n").size(), 2U);
}

TEST(LogForms, ProgramsThatQuoteTheKernelAreNotBelieved) {
  for (const char* before : {"Jun 27 15:21:34 lab app[77]: ", "2025-06-27T15:21:34 lab app: "})
    EXPECT_TRUE(read_all(std::string(before) + "[  12.345678] " + kDisk + "\n").empty()) << before;
}

TEST(LogForms, RecordThatTwoConsolesWroteIsOne) {
  const std::string line = std::string("[  12.345678][    C0] ") + kDisk + "\n";
  EXPECT_EQ(read_all(line + line), kOne);
  const std::string coarse = std::string("Jun 27 15:21:34 lab kernel: ") + kDisk + "\n";
  EXPECT_EQ(read_all(coarse + coarse).size(), 2U);
}

TEST(LogForms, HeadersThatMailHasBrokenAreRead) {
  EXPECT_EQ(read_all("> > [ 1623.861452][    C0] BUG: workqueue lockup - pool cpus=0 node=0\n"
                     "> > flags=0x0 nice=0 stuck for 65s!\n"),
            Lines{"1 workqueue_lockup /-1 65  [workqueue lockup]"});
  const KernelReports owner = parse_kernel_reports(
      "INFO: task brickd:22 blocked for more than 122\nseconds.\n"
      "INFO: task brickd:22 <writer> blocked on an rw-semaphore\n"
      "     likely owned by task tidy up:21 <reader>\n");
  EXPECT_TRUE(owner.problems.empty());
  ASSERT_EQ(owner.reports.size(), 1U);
  EXPECT_EQ(owner.reports[0].seconds, 122);
  ASSERT_EQ(owner.reports[0].owners.size(), 1U);
  EXPECT_EQ(owner.reports[0].owners[0].task, "tidy up");
}

TEST(LogForms, DumpWhoseHeaderIsNotInTheLogIsOfABlockedTask) {
  EXPECT_EQ(
      read_all("[ 10.000001] brickd          D ffff88023fc13680     0  2821      1 0x00000080\n"
               "[ 10.000002] Call Trace:\n"
               "[ 10.000003]  [<ffffffff81609729>] schedule+0x29/0x70\n"
               "[ 10.000004]  [<ffffffffa02bf2d5>] brick_wait_all+0xc5/0x140 [brickfs]\n"),
      Lines{"1 sysrq_blocked brickd/2821 - brick_wait_all [task blocked in brick_wait_all]"});
}

TEST(LogForms, HintOfAHungTaskTellsWhatItsDumpIs) {
  EXPECT_EQ(read_all("\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
                     "brickd          D ffff88023fc13680     0  2821      1 0x00000080\n"
                     " [<ffffffff81609729>] schedule+0x29/0x70\n"
                     " [<ffffffffa02bf2d5>] brick_wait_all+0xc5/0x140 [brickfs]\n"),
            Lines{"2 hung_task brickd/2821 - brick_wait_all [task hung in brick_wait_all]"});
}

TEST(LogForms, RestOfAFrameThatAnotherLineBrokeIsNoFunction) {
  EXPECT_EQ(read_all("[ 10.000001] INFO: task brickd:2821 blocked for more than 120 seconds.\n"
                     "[ 10.000002] brickd        D ffff88023fc13680     0  2821      1 0x00000080\n"
                     "[ 10.000003] Call Trace:\n"
                     "[ 10.000004]  [<ffffffff81579620>] schedule+0x30/0x80\n"
                     "[ 10.000005]  [<ffffffff81579899>] brick_sle[ 10.000006] eth0: link up\n"
                     "ep_first+0x9/0x10\n"
                     "[ 10.000007]  [<ffffffffa02bf2d5>] brick_wait_all+0xc5/0x140 [brickfs]\n"),
            Lines{"1 hung_task brickd/2821 120 brick_wait_all [task hung in brick_wait_all]"});
}

TEST(LogForms, InlinedFramesWithAnAddressAreFrames) {
  EXPECT_EQ(read_all("INFO: task brickd:2821 blocked for more than 120 seconds.\n"
                     "Call Trace:\n"
                     "[<ffffffff834348b8>] schedule+0x624/0x1254 kernel/sched/core.c:6555\n"
                     "[<ffffffff834348c0>] brick_wait fs/brickfs/wait.c:52 [inline]\n"
                     "[<ffffffff834348c0>] brick_wait_all+0x5/0x140 fs/brickfs/wait.c:60\n"),
            Lines{"1 hung_task brickd/2821 120 brick_wait [task hung in brick_wait]"});
}

TEST(LogForms, EveryTaskOfAListWhoseHeaderIsCutIsReported) {
  EXPECT_EQ(read_all("task:one             state:D stack:0     pid:11    ppid:2      flags:0x0\n"
                     " schedule+0x29/0x70\n first_wait+0x1/0x2\n"
                     "task:two             state:D stack:0     pid:12    ppid:2      flags:0x0\n"
                     " schedule+0x29/0x70\n second_wait+0x1/0x2\n")
                .size(),
            2U);
}

TEST(LogForms, WorkOfAnotherPoolOfTheSameCpuIsNotBlamed) {
  EXPECT_EQ(
      read_all("BUG: workqueue lockup - pool cpus=2 node=0 flags=0x0 nice=-20 stuck for 58s!\n"
               "Showing busy workqueues and worker pools:\n"
               "workqueue events: flags=0x0\n"
               "  pwq 4: cpus=2 node=0 flags=0x0 nice=0 active=1/256\n"
               "    in-flight: 99:innocent_fn\n"
               "  pwq 5: cpus=2 node=0 flags=0x1 nice=-20 active=2/256\n"
               "    in-flight: 98:brick_submit_fn [brickfs] for 58s\n"),
      Lines{"1 workqueue_lockup /98 58 brick_submit_fn [workqueue lockup in brick_submit_fn]"});
}

TEST(LogForms, LockdepTellsMoreThanCircles) {
  EXPECT_EQ(read_all("[ BUG: Invalid wait context ]\n"
                     "brickd/77 is trying to lock:\n"
                     "stack backtrace:\n"
                     "CPU: 2 PID: 77 Comm: brickd Not tainted 6.1.0 #1\n"
                     "Call Trace:\n"
                     " dump_stack_lvl+0x1/0x2\n"
                     " __lock_acquire+0x1/0x2\n"
                     " _raw_spin_lock+0x1/0x2\n"
                     " brick_poke+0x1/0x2\n"),
            Lines{"1 lockdep brickd/77 - brick_poke [invalid wait context in brick_poke]"});
  const std::string at = "ffff888003f25b58 (&b->lock){..-.}, at: ";  // decoded: a line per function
  EXPECT_EQ(read_all("WARNING: possible irq lock inversion dependency detected\n"
                     "swapper/0/0 just changed the state of lock:\n" +
                     at + "spin_lock_irq include/linux/spinlock.h:363 [inline]\n" + at +
                     "brick_free+0x2d/0x490 fs/brick.c:618\n"
                     "but this lock took another, SOFTIRQ-unsafe lock in the past:\n"),
            Lines{"1 lockdep swapper/0/0 - brick_free [irq lock inversion: &b->lock]"});
}

}  // namespace
}  // namespace stallproof
