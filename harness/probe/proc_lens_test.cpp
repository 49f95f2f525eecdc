// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/proc_lens.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

std::string status(int tgid, int tid, char state) {
  return fmt::format("Name:\tt{}\nState:\t{} (x)\nTgid:\t{}\nPid:\t{}\nVmSize:\t 8 kB\n", tid,
                     state, tgid, tid);
}

bool says(const LockSnapshot& snapshot, std::string_view what) {
  return std::any_of(
      snapshot.blind_spots.begin(), snapshot.blind_spots.end(),
      [what](const std::string& spot) { return spot.find(what) != std::string::npos; });
}

TEST(ProcStack, FramesOfNewAndOldKernelsAreRead) {
  const auto stack = parse_proc_stack(
      "[<0>] request_wait_answer+0x95/0x220 [fuse]\n[<0>] do_syscall_64+0x5b/0x80\n");
  ASSERT_EQ(stack.size(), 2U);
  EXPECT_EQ(stack[0].function, "request_wait_answer");
  EXPECT_EQ(stack[0].module, "fuse");
  EXPECT_EQ(stack[1].module, "");
  const auto old = parse_proc_stack(
      "[<ffffffff81609729>] rwsem_down_read_failed+0x14/0x30\n[<ffffffffffffffff>] "
      "0xffffffffffffffff\n");
  ASSERT_EQ(old.size(), 1U);
  EXPECT_EQ(old[0].address, 0xffffffff81609729ULL);
  EXPECT_TRUE(parse_proc_stack("").empty());
}

TEST(ProcLens, BlockedTasksOfAllProcessesHaveStacksFromTheProbe) {
  const FakeTree tree;
  tree.put("10/task/10/status", status(10, 10, 'S'));
  tree.put("10/task/11/status", status(10, 11, 'D'));
  tree.put("10/task/11/stack", "[<0>] folio_wait_bit_common+0x1/0x2\n");
  tree.put("12/task/12/status", status(12, 12, 'R'));
  tree.put("self/status", "not a process");
  auto probe = ProbeChild::start();
  ASSERT_TRUE(probe);
  ProcLensOptions options;
  options.proc_root = tree.root();
  options.probe = &*probe;
  const auto snapshot = read_proc_lens(options);
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  ASSERT_EQ(snapshot->tasks.size(), 1U);
  EXPECT_EQ(snapshot->tasks[0].tid, 11);
  EXPECT_EQ(snapshot->tasks[0].tgid, 10);
  ASSERT_EQ(snapshot->tasks[0].stack.size(), 1U);
  EXPECT_EQ(snapshot->tasks[0].stack[0].function, "folio_wait_bit_common");
  EXPECT_EQ(snapshot->lens, LensKind::live_proc);
}

TEST(ProcLens, NamedProcessGivesEveryThreadAndNoLockIsInvented) {
  const FakeTree tree;
  tree.put("10/task/10/status", status(10, 10, 'S'));
  tree.put("10/task/11/status", status(10, 11, 'D'));
  tree.put("12/task/12/status", status(12, 12, 'D'));
  ProcLensOptions options;
  options.proc_root = tree.root();
  options.tgids = {10, 99};
  const auto snapshot = read_proc_lens(options);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->tasks.size(), 2U);
  EXPECT_TRUE(snapshot->locks.empty());
  EXPECT_TRUE(says(*snapshot, "locks, their holders and their queues"));
  EXPECT_TRUE(says(*snapshot, "2 blocked or sleeping tasks have no stack"));
  EXPECT_TRUE(says(*snapshot, "FUSE connections were not looked at"));
}

TEST(ProcLens, StackThatNeverAnswersCostsItsDeadlineAndIsReported) {
  const FakeTree tree;
  tree.put("10/task/11/status", status(10, 11, 'D'));
  ASSERT_EQ(::mkfifo((tree.root() + "/10/task/11/stack").c_str(), 0600), 0);
  auto probe = ProbeChild::start();
  ASSERT_TRUE(probe);
  ProcLensOptions options;
  options.proc_root = tree.root();
  options.probe = &*probe;
  options.stack_limit = 50 * kMillisecond;
  const Nanos started = monotonic_now();
  const auto snapshot = read_proc_lens(options);
  EXPECT_LT(monotonic_now() - started, kSecond);
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->tasks.size(), 1U);
  EXPECT_NE(snapshot->tasks[0].stack_problem.find("did not answer"), std::string::npos);
  EXPECT_TRUE(says(*snapshot, "1 reads did not answer in time"));
}

TEST(ProcLens, RowLimitIsReported) {
  const FakeTree tree;
  for (int tid = 10; tid < 15; ++tid)
    tree.put(fmt::format("10/task/{}/status", tid), status(10, tid, 'D'));
  ProcLensOptions options;
  options.proc_root = tree.root();
  options.max_tasks = 3;
  const auto snapshot = read_proc_lens(options);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->tasks.size(), 3U);
  EXPECT_TRUE(says(*snapshot, "2 tasks were not read"));
}

TEST(ProcLens, FuseLoadComesFromFusectlWithoutServers) {
  const FakeTree proc;
  const FakeTree fusectl;
  proc.put("10/task/10/status", status(10, 10, 'S'));
  fusectl.put("41/waiting", "11\n");
  ProcLensOptions options;
  options.proc_root = proc.root();
  options.fusectl = fusectl.root();
  const auto snapshot = read_proc_lens(options);
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->fuse.size(), 1U);
  EXPECT_EQ(snapshot->fuse[0].number, 41U);
  EXPECT_EQ(snapshot->fuse[0].waiting, 11U);
  EXPECT_TRUE(snapshot->fuse[0].server_tgids.empty());
  EXPECT_TRUE(says(*snapshot, "which process serves a connection"));
}

TEST(ProcLens, MissingProcIsAnError) {
  ProcLensOptions options;
  options.proc_root = "/nonexistent/proc";
  EXPECT_FALSE(read_proc_lens(options));
}

}  // namespace
}  // namespace stallproof
