// SPDX-License-Identifier: Apache-2.0
// Locks and services of which only functions are known, and mmap_locks that a thread of the kernel
// holds.
#include <gtest/gtest.h>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

TaskRow reader(std::int32_t tid, const char* takes, std::optional<Nanos> unchanged) {
  return client({.tid = tid,
                 .comm = "direct",
                 .stack = {takes, "ffs_pass_gates", "ffs_ioctl", "__x64_sys_ioctl"},
                 .unchanged = unchanged});
}

LockSnapshot two_readers(const char* takes, std::optional<Nanos> unchanged = 2 * kSecond) {
  LockSnapshot snapshot;
  snapshot.tasks = {reader(101, takes, unchanged), reader(102, takes, unchanged)};
  return snapshot;
}

TEST(FsLock, AFunctionThatTakesOneIsToldByTheFileSystemsFile) {
  const Explanation result = explained(two_readers("ffs_wait_semaphore"));
  EXPECT_EQ(result.signature, "lock_held:unknown>other_write");
  EXPECT_TRUE(has(result.summary, "lock of ffs taken in ffs_wait_semaphore")) << result.summary;
  EXPECT_TRUE(has(result.summary, "direct 101 and direct 102 wait for it")) << result.summary;
  EXPECT_TRUE(has(result.advice, "capture --sysrq")) << result.advice;
  EXPECT_TRUE(result.root.holder.empty());
}

TEST(FsLock, EachFunctionIsALockOfItsOwn) {
  LockSnapshot snapshot = two_readers("ffs_wait_mutex");
  snapshot.tasks.push_back(reader(103, "ffs_wait_completion", 2 * kSecond));
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "lock_held");
  EXPECT_TRUE(has(result.summary, "taken in ffs_wait_mutex")) << result.summary;
  EXPECT_FALSE(has(result.summary, "direct 103")) << result.summary;
}

TEST(FsLock, AWaitThatHasJustBegunIsOrdinaryWork) {
  EXPECT_EQ(explained(two_readers("ffs_wait_mutex", 20 * kMillisecond)).stall_class, "none");
}

TEST(FsLock, AFunctionThatNoFileNamesIsNoLock) {
  EXPECT_EQ(explained(two_readers("xfs_wait_mutex")).stall_class, "unknown");
}

TEST(FsLock, InATextItIsToldFromTheSlowPathOfTheLockToo) {
  LockSnapshot snapshot = two_readers("ffs_wait_rwsem_read", std::nullopt);
  for (TaskRow& task : snapshot.tasks)
    for (const char* const way : {"down_read", "rwsem_down_read_slowpath", "schedule"})
      task.stack.insert(task.stack.begin(), {way, "", 0});
  snapshot.lens = LensKind::crash_text;
  EXPECT_EQ(explained(snapshot).stall_class, "lock_held");
}

TEST(NfsServer, ThatAnswersNobodyIsToldWithoutALock) {
  LockSnapshot snapshot;
  snapshot.tasks = {
      client({.tid = 101, .comm = "dio", .stack = {"nfs_file_direct_read"}}),
      client({.tid = 102, .comm = "stat", .stack = {"rpc_wait_bit_killable", "__rpc_execute"}})};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "fs_server_stuck:request>service_absent");
  EXPECT_TRUE(has(result.summary, "dio 101 and stat 102 wait for the nfs service"))
      << result.summary;
  for (TaskRow& task : snapshot.tasks) task.unchanged_for = 20 * kMillisecond;
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(MmapLockHeld, ByAThreadOfTheKernelIsToldWithItsName) {
  LockSnapshot snapshot;
  TaskRow holder = task(300, 0, {.tid = 300, .comm = "hold/mmap_write", .state = 'S'});
  holder.kernel_thread = true;
  snapshot.tasks = {client({.tid = 102, .comm = "load", .stack = mprotect_wait()}), holder};
  snapshot.locks = {client_lock({{.tid = 300,
                                  .mode = LockMode::write,
                                  .certainty = Certainty::exact,
                                  .evidence = "owner word"}},
                                {waits(102, LockMode::write)})};
  snapshot.locks[0].writer_holds = true;
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "mmap_lock_held");
  EXPECT_EQ(result.root.holder, "task:300");
  snapshot.tasks[0].unchanged_for = 20 * kMillisecond;
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

}  // namespace
}  // namespace stallproof
