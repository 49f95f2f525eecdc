// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_log.h"

#include <gtest/gtest.h>

#include <string>

#include "harness/base/file.h"
#include "harness/explain/explain.h"

namespace stallproof {
namespace {

TEST(KernelLog, TaskLinesOfAllKernelsAreRead) {
  const CrashText log = parse_kernel_log(
      "java            D ffff88023fc13680     0  2821      1 0x00000080\n"
      "FwgThread OpFor D    0 15341  15184 0x000040a0\n"
      "task:k3s-server      state:D stack:    0 pid:12052 ppid:     1 flags:0x00000000\n"
      "task:a: b            state:S stack:0     pid:7    tgid:6     ppid:1      "
      "task_flags:0x0 flags:0x00004002\n");
  ASSERT_EQ(log.snapshot.tasks.size(), 4U);
  EXPECT_EQ(log.snapshot.tasks[0].tid, 2821);
  EXPECT_EQ(log.snapshot.tasks[0].comm, "java");
  EXPECT_EQ(log.snapshot.tasks[1].comm, "FwgThread OpFor");
  EXPECT_EQ(log.snapshot.tasks[1].tid, 15341);
  EXPECT_EQ(log.snapshot.tasks[2].state, 'D');
  EXPECT_EQ(log.snapshot.tasks[3].comm, "a: b");
  EXPECT_EQ(log.snapshot.tasks[3].tgid, 6);
  EXPECT_EQ(log.snapshot.tasks[0].parent_tgid, 1);
  EXPECT_EQ(log.snapshot.tasks[1].parent_tgid, 15184);
  EXPECT_EQ(log.snapshot.tasks[3].parent_tgid, 1);
  EXPECT_TRUE(log.complete);
}

TEST(KernelLog, FramesGuessedByTheUnwinderAreLeftOut) {
  const CrashText log = parse_kernel_log(
      "task:a state:D stack:0 pid:1 ppid:0 flags:0x0\nCall Trace:\n <TASK>\n"
      " __schedule+0x1/0x2\n ? up_read+0x3/0x4\n fuse_flush+0x5/0x6 [fuse]\n </TASK>\n"
      "something else+0x1/0x2\n");
  ASSERT_EQ(log.snapshot.tasks.size(), 1U);
  ASSERT_EQ(log.snapshot.tasks[0].stack.size(), 2U);
  EXPECT_EQ(log.snapshot.tasks[0].stack[1].function, "fuse_flush");
  EXPECT_EQ(log.snapshot.tasks[0].stack[1].module, "fuse");
}

TEST(KernelLog, OwnersThatTheKernelNamesAreLikely) {
  const CrashText log = parse_kernel_log(
      "INFO: task java:x:22 <writer> blocked on an rw-semaphore likely owned by task java:21 "
      "<reader>\nINFO: task zsh:470 is blocked on a mutex likely owned by task zsh:471.\n");
  ASSERT_EQ(log.snapshot.locks.size(), 2U);
  EXPECT_EQ(log.snapshot.locks[0].waiters[0].tid, 22);
  EXPECT_EQ(log.snapshot.locks[0].waiters[0].mode, LockMode::write);
  EXPECT_EQ(log.snapshot.locks[0].holders[0].tid, 21);
  EXPECT_EQ(log.snapshot.locks[0].holders[0].mode, LockMode::read);
  EXPECT_EQ(log.snapshot.locks[0].holders[0].certainty, Certainty::likely);
  EXPECT_EQ(log.snapshot.locks[1].holders[0].tid, 471);
}

// Threads have the parent of their process, whatever they are called; before 6.6 nothing else of
// the process is told.
std::string fault_beside_writer(const std::string& parent_of_fault) {
  return "task:fault/0         state:D stack:0     pid:145   ppid:" + parent_of_fault +
         " flags:0x00004002\nCall Trace:\n <TASK>\n schedule+0x5a/0xd0\n"
         " lock_blkgrp_sync+0x15/0x40 [ffs_stub]\n __do_fault+0x33/0x110\n"
         " handle_mm_fault+0xdb/0x2d0\n exc_page_fault+0x70/0x170\n </TASK>\n"
         "task:mprotect/0      state:D stack:0     pid:153   ppid:124    flags:0x00000002\n"
         "Call Trace:\n <TASK>\n schedule+0x5a/0xd0\n rwsem_down_write_slowpath+0x1/0x2\n"
         " down_write_killable+0x1/0x2\n do_mprotect_pkey+0x1/0x2\n </TASK>\n";
}

TEST(KernelLog, AFaultWithTheWritersParentHoldsItsLock) {
  const CrashText log = parse_kernel_log(fault_beside_writer("124"));
  const Explanation result = explain(log.snapshot, *FsKnowledge::shipped());
  EXPECT_EQ(result.signature, "mmap_lock_held:fault_read>mprotect_write");
}

TEST(KernelLog, AFaultOfAnotherParentHoldsAnotherLock) {
  for (const char* other : {"77", "1"}) {
    const CrashText log = parse_kernel_log(fault_beside_writer(other));
    const Explanation result = explain(log.snapshot, *FsKnowledge::shipped());
    EXPECT_EQ(result.signature, "mmap_lock_held:unknown>mprotect_write") << other;
  }
}

TEST(KernelLog, LaterReportReplacesTheEarlier) {
  const CrashText log = parse_kernel_log(
      "task:a state:D stack:0 pid:1 ppid:0 flags:0x0\n f+0x1/0x2\n"
      "task:a state:D stack:0 pid:1 ppid:0 flags:0x0\n g+0x1/0x2\n");
  ASSERT_EQ(log.snapshot.tasks.size(), 1U);
  EXPECT_EQ(log.snapshot.tasks[0].stack[0].function, "g");
}

TEST(KernelLog, NoBytesCrash) {
  std::string text =
      "[ 1.2] INFO: task a:1 blocked for more than 2 seconds.\n[ 1.2] task:a state:D stack:0 pid:1 "
      "ppid:0 flags:0x0\n[ 1.2]  f+0x1/0x2 [m]\n";
  for (std::size_t at = 0; at < text.size(); ++at) {
    parse_kernel_log(std::string_view(text).substr(0, at));
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x3f);
    parse_kernel_log(damaged);
  }
}

}  // namespace
}  // namespace stallproof
