// SPDX-License-Identifier: Apache-2.0
// Which frame is blamed, for the stacks of every kind of kernel. The texts are ours.
#include "harness/explain/log/blamed_function.h"

#include <gtest/gtest.h>

#include "harness/explain/log/report_text.h"

namespace stallproof {
namespace {

std::string blamed(const std::string& text) {
  const auto reports = parse_kernel_reports(text).reports;
  EXPECT_EQ(reports.size(), 1U) << text;
  return reports.empty() ? std::string{} : reports[0].function;
}

const std::string kHung = "INFO: task brickd:22 blocked for more than 122 seconds.\n";
const std::string kSoft = "watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [brickd:22]\n";
const std::string kStall = "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n";

TEST(BlamedFunction, LeftoversOnAStackThatNobodyUnwoundAreNotBlamed) {
  EXPECT_EQ(blamed(kHung + " [<ffffffff81000001>] ? __schedule+0x239/0x6f0\n"
                           " [<ffffffff81000002>] ? bit_wait+0x50/0x50\n"
                           " [<ffffffff81000003>] ? ktime_get+0x3e/0xb0\n"
                           " [<ffffffff81000004>] ? io_schedule_timeout+0x9d/0x100\n"
                           " [<ffffffff81000005>] ? out_of_line_wait_on_bit+0x7e/0xa0\n"
                           " [<ffffffff81000006>] ? wake_atomic_t_function+0x60/0x60\n"
                           " [<ffffffffa0000007>] ? brick_commit+0xf59/0x17c0 [brickfs]\n"
                           " [<ffffffffa0000008>] ? brick_thread+0xc2/0x260 [brickfs]\n"
                           " [<ffffffff81000009>] ? _cond_resched+0x15/0x20\n"),
            "brick_commit");
  EXPECT_EQ(blamed(kHung + " [<ffffffff81000001>] ? __blk_run_queue+0x29/0x31\n"
                           " [<ffffffff81000002>] ? io_schedule+0x84/0xc6\n"
                           " [<ffffffff81000003>] ? sleep_on_page_killable+0x9/0x33\n"
                           " [<ffffffffa0000004>] ? brick_aio_read+0x3fb/0x5ae\n"),
            "brick_aio_read");
}

TEST(BlamedFunction, LocksThatSleepUnderPreemptRtAreNotBlamed) {
  for (const char* lock : {"rt_spin_lock", "rt_read_lock", "rt_write_lock", "_rt_mutex_lock"})
    EXPECT_EQ(blamed(kStall +
                     "rcu: Tasks blocked on level-1 rcu_node (CPUs 16-31): P22/3:b..l\n"
                     "rcu: (detected by 4, t=15002 jiffies, g=3201, q=138 ncpus=64)\n"
                     "task:brickd          state:D stack:0     pid:22    tgid:22    ppid:2      "
                     "flags:0x00004000\n"
                     "Call Trace:\n"
                     " __schedule+0x401/0x15a0\n"
                     " schedule_rtlock+0x1e/0x40\n"
                     " rtlock_slowlock_locked+0x20e/0xc60\n " +
                     lock + "+0x8f/0x190\n brick_expire+0x28/0x50\n"),
              "brick_expire")
        << lock;
}

TEST(BlamedFunction, StacksOf2_6_18AreRead) {
  EXPECT_EQ(
      blamed(kHung + "brickd        D 0000D823  2860    22     15           680   618 (L-TLB)\n"
                     " [<ffffffff80000001>] do_gettimeofday+0x40/0x90\n"
                     " [<ffffffff80000002>] io_schedule+0x3f/0x67\n"
                     " [<ffffffff80000003>] sync_buffer+0x3b/0x3f\n"
                     " [<ffffffff80000004>] wake_bit_function+0x0/0x23\n"
                     " [<ffffffff88000005>] :brickfs:brick_flush+0x543/0x1066\n"
                     " [<ffffffff80000006>] lock_timer_base+0x1b/0x3c\n"),
      "brick_flush");
}

TEST(BlamedFunction, DecodedStacksAreRead) {
  EXPECT_EQ(blamed(kHung + " schedule (kernel/sched/core.c:6774 (discriminator 1))\n"
                           " ? __pfx_stale (fs/brickfs/stale.c:1)\n"
                           " brick_sync (fs/brickfs/sync.c:77) brickfs\n"),
            "brick_sync");
  EXPECT_EQ(blamed(kSoft + "RIP: 0010:arch_poll kernel/smp.c:5 [inline]\n"
                           "RIP: 0010:brick_poll (fs/brickfs/poll.c:9)\n"),
            "brick_poll");
  EXPECT_EQ(blamed(kHung +
                   "  context_switch at kernel/sched/core.c:5376\n"
                   "                (inlined by) __schedule at kernel/sched/core.c:6688\n"
                   "  __preempt_count_sub at arch/x86/include/asm/preempt.h:85 (discriminator 1)\n"
                   "                (inlined by) schedule at kernel/sched/core.c:6778\n"
                   "  ? stale at fs/brickfs/stale.c:1\n"
                   "  brick_sync at fs/brickfs/sync.c:132 (discriminator 4)\n"),
            "brick_sync");
}

TEST(BlamedFunction, WaitsForFencesOfDevicesAreNotBlamed) {
  EXPECT_EQ(blamed(kHung + " schedule_timeout+0x1e5/0x350\n"
                           " dma_fence_default_wait+0x243/0x260\n"
                           " dma_fence_wait_timeout+0x39/0xe0\n"
                           " brick_wait_prev_fence.clone.2+0x46/0x80 [brickdrm]\n"),
            "brick_wait_prev_fence");
}

TEST(BlamedFunction, StackOfWhoReportsIsNotTheHungTasks) {
  EXPECT_EQ(blamed(kHung + "NMI backtrace for cpu 0\n"
                           "CPU: 0 PID: 28 Comm: khungtaskd Not tainted 6.7.0 #1\n"
                           "Call Trace:\n watchdog_all+0x1/0x2\n kthread+0x1/0x2\n"),
            "");
  EXPECT_EQ(blamed(kHung + "------------[ cut here ]------------\nCall Trace:\n other+0x1/0x2\n"),
            "");
}

TEST(BlamedFunction, InterruptThatLookedIsLeftOutOnEveryArchitecture) {
  const std::string looked =
      " dump_backtrace+0x0/0x1c0\n show_stack+0x1/0x2\n rcu_sched_clock_irq+0x1/0x2\n"
      " my_timer_isr+0x28/0x30\n";
  for (const char* entry : {"el1h_64_irq+0x74/0x78", "ret_from_exception+0x0/0x10",
                            "handle_int+0x1/0x2", "asm_sysvec_apic_timer_interrupt+0x1/0x2"})
    EXPECT_EQ(blamed(kStall + looked + " " + entry + "\n brick_loop+0x4c/0x60\n el0_svc+0x1/0x2\n"),
              "brick_loop")
        << entry;
  EXPECT_EQ(blamed(kStall + looked + " el0t_64_irq+0x1/0x2\n"), "");
  // The handler itself is stuck: nobody looked from within it.
  EXPECT_EQ(blamed(kStall + " brick_isr+0x1/0x2\n el1h_64_irq+0x74/0x78\n idle_task+0x1/0x2\n"),
            "brick_isr");
}

TEST(BlamedFunction, ArmTellsTheFunctionAndThenTheStack) {
  EXPECT_EQ(
      blamed(kSoft + "CPU: 3 PID: 22 Comm: brickd Not tainted 4.19.13 #1\n"
                     "PC is at _raw_spin_lock+0x8/0x20\n"
                     "CPU: 3 PID: 22 Comm: brickd Not tainted 4.19.13 #1\n"
                     "Backtrace:\n"
                     "[<80000001>] (dump_backtrace) from [<80000002>] (show_stack+0x20/0x24)\n"
                     "[<80000002>] (show_stack) from [<80000003>] (watchdog_timer_fn+0x1/0x2)\n"
                     "[<80000003>] (watchdog_timer_fn) from [<80000004>] (my_isr+0x1/0x2)\n"
                     "[<80000004>] (my_isr) from [<80000005>] (__irq_svc+0x5c/0x78)\n"
                     "[<80000005>] (__irq_svc) from [<80000006>] (_raw_spin_lock+0x8/0x20)\n"
                     "[<80000006>] (_raw_spin_lock) from [<80000007>] (brick_walk+0x8/0x20)\n"),
      "brick_walk");
}

TEST(BlamedFunction, PowerpcTellsOfOtherCpusFirst) {
  const KernelReports read = parse_kernel_reports(
      "Watchdog CPU:71 detected Hard LOCKUP other CPUS:42\n"
      "Watchdog CPU:42 Hard LOCKUP\n"
      "CPU: 42 PID: 3391 Comm: brickd Not tainted 4.15.0-15-generic #16\n"
      "NIP:  c0000000001d5364 LR: c0000000001d5340 CTR: c000000000acd200\n"
      "NIP [c0000000001d5364] brick_spin+0xe4/0x120\n"
      "LR [c0000000001d5340] brick_spin+0xc0/0x120\n"
      "Call Trace:\n[c000200dc242f360] [c000000000000001] ret_from_syscall+0x1/0x2\n");
  ASSERT_EQ(read.reports.size(), 1U);
  EXPECT_EQ(told(read.reports[0]),
            "1 hard_lockup brickd/3391 - brick_spin [hard lockup in brick_spin]");
}

TEST(BlamedFunction, StarvedThreadOfRcuIsAVictim) {
  EXPECT_EQ(
      blamed("rcu: INFO: rcu_sched self-detected stall on CPU\n"
             "rcu: \t1-....: (8382 ticks this GP) idle=3a04/1/0x40000002 softirq=1/2 fqs=3\n"
             "rcu: \t(t=8403 jiffies g=-1055 q=60 ncpus=2)\n"
             "rcu: rcu_sched kthread starved for 1519 jiffies! g-1055 f0x0 ->cpu=0\n"
             "rcu: RCU grace-period kthread stack dump:\n"
             "task:rcu_sched       state:I stack:0     pid:14    ppid:2      flags:0x00000000\n"
             "Call trace:\n __schedule+0x1/0x2\n rcu_gp_fqs_loop+0x1/0x2\n"
             "rcu: Stack dump where RCU GP kthread last ran:\n"
             "CPU: 0 PID: 5 Comm: other Not tainted 6.6.1 #1\n"
             "RIP: 0010:other_loop+0x1/0x2\n"
             "CPU: 1 PID: 22 Comm: brickd Not tainted 6.6.1 #1\n"
             "RIP: 0010:brick_spin+0x1/0x2\n"),
      "brick_spin");
}

TEST(BlamedFunction, CpusThatAreNotStalledAreNotBlamed) {
  const std::string other =
      "NMI backtrace for cpu 6\nCPU: 6 PID: 0 Comm: swapper/6 Not tainted 3.11.6 #2\n"
      "RIP: 0010:[<ffffffff812c8ca4>]  [<ffffffff812c8ca4>] intel_idle+0x94/0xe0\n"
      "Call Trace:\n [<ffffffff8143cd0f>] cpuidle_idle_call+0xcf/0x160\n";
  EXPECT_EQ(
      blamed("INFO: rcu_sched self-detected stall on CPU { 7}  (t=21001 jiffies g=8 c=7 q=2)\n" +
             other +
             "NMI backtrace for cpu 7\n"
             "CPU: 7 PID: 22 Comm: brickd Not tainted 3.11.6 #2\n"
             "RIP: 0010:[<ffffffff812c8ca4>]  [<ffffffff812c8ca4>] brick_loop+0x94/0xe0\n"),
      "brick_loop");
  EXPECT_EQ(blamed(kStall + "rcu: \t1-...!: (0 ticks this GP) idle=d9c/0/0x0 softirq=20/20 fqs=0\n"
                            "NMI backtrace for cpu 1 skipped: idling at default_idle+0x1e/0x130\n"
                            "NMI backtrace for cpu 2\nCall Trace:\n innocent+0x1/0x2\n"),
            "");
  EXPECT_EQ(blamed(kStall + "rcu: All QSes seen, last rcu_sched kthread activity 742030 (4-3)\n"
                            "brickd          R  running task        0     5      2 0x00000008\n"
                            " innocent+0x1/0x2\n"),
            "");
}

TEST(BlamedFunction, TaskThatStallsRcuIsTheOneWhoseStackIsTold) {
  EXPECT_EQ(read_all(kStall + "rcu: \t1-...!: (0 ticks this GP) idle=9e14/1/0x4000 fqs=0\n"
                              "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P454 P700\n"
                              "NMI backtrace for cpu 1 skipped: idling at idle_poll+0x40/0x6c\n"
                              "task:brickd          state:D stack:0     pid:700   ppid:348\n"
                              " brick_hold+0x1/0x2\n"),
            Lines{"1 rcu_stall brickd/700 - brick_hold [rcu stall in brick_hold]"});
}

TEST(BlamedFunction, WorkIsBlamedNotTheWorker) {
  EXPECT_EQ(blamed(kStall + "task:kworker/u4:4  state:R  running task stack:0 pid:314 ppid:2\n"
                            "Workqueue: events_unbound brick_check_fn [brickfs]\n"
                            " __schedule+0x246/0x5c0\n __cond_resched+0x33/0x50\n"
                            " process_one_work+0x23c/0x3f0\n worker_thread+0x50/0x3e0\n"),
            "brick_check_fn");
}

TEST(BlamedFunction, LockupsOfSeveralCpusGetTheStacksOfTheirs) {
  EXPECT_EQ(
      read_all("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [one:11]\n"
               "watchdog: BUG: soft lockup - CPU#2 stuck for 23s! [two:12]\n"
               "CPU: 1 PID: 11 Comm: one Not tainted 6.6.1 #1\nRIP: 0010:first_loop+0x1/0x2\n"
               "CPU: 2 PID: 12 Comm: two Not tainted 6.6.1 #1\nRIP: 0010:second_loop+0x1/0x2\n"),
      (Lines{"1 soft_lockup one/11 22 first_loop [soft lockup in first_loop]",
             "2 soft_lockup two/12 23 second_loop [soft lockup in second_loop]"}));
}

TEST(BlamedFunction, CheckersOfEveryAccessAreNotBlamed) {
  EXPECT_EQ(blamed(kSoft + "RIP: 0010:lock_is_held_type+0xf2/0x150\n"
                           "Call Trace:\n <IRQ>\n brick_timer+0xe4/0xc80\n"
                           " __hrtimer_run_queues+0x3bc/0xa10\n"
                           " asm_sysvec_apic_timer_interrupt+0x1a/0x20\n"
                           "RIP: 0010:_raw_spin_unlock_irqrestore+0x47/0x80\n idle+0x1/0x2\n"),
            "brick_timer");
}

}  // namespace
}  // namespace stallproof
