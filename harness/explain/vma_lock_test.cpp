// SPDX-License-Identifier: Apache-2.0
// Stalls of an address space whose holder is known by its page or its VMA, and of directories.
#include <gtest/gtest.h>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

FileWait page_of(std::uint32_t connection) {
  return {.how = FileWait::How::page, .device_major = 0, .device_minor = connection, .inode = 2};
}

std::vector<std::string> mkwrite_fault() {
  return {"folio_wait_bit", "folio_wait_writeback", "fuse_page_mkwrite", "do_page_mkwrite",
          "do_wp_page",     "__handle_mm_fault",    "handle_mm_fault",   "exc_page_fault"};
}
std::vector<std::string> vma_wait() {
  return {"__vma_start_write", "mprotect_fixup", "do_mprotect_pkey", "__x64_sys_mprotect"};
}
std::vector<std::string> munmap_flush() {
  return {"folio_wait_bit", "folio_wait_writeback", "__filemap_fdatawait_range", "write_inode_now",
          "fuse_vma_close", "remove_vma",           "vms_complete_munmap_vmas",  "do_vmi_munmap",
          "__vm_munmap",    "__x64_sys_munmap"};
}
TaskRow stopped_server() {
  TaskRow row = server({.tid = 200, .comm = "ffs", .state = 'T', .stack = {"do_signal_stop"}});
  row.halt = Halt::stopped;
  return row;
}
LockHolder writer(std::int32_t tid) {
  return {
      .tid = tid, .mode = LockMode::write, .certainty = Certainty::exact, .evidence = "owner word"};
}
// The kernel writes a page back for nobody in particular.
FuseConnection write_back() {
  FuseConnection fuse = connection({request(0, 16, 2 * kSecond)});
  return fuse;
}

// 101 faults in page_mkwrite under its VMA's lock, 102 waits for that lock, 103 for mmap_lock.
LockSnapshot mkwrite_stall() {
  LockSnapshot snapshot;
  snapshot.tasks = {client({.tid = 101, .comm = "toucher", .stack = mkwrite_fault()}),
                    client({.tid = 102, .comm = "writer", .stack = vma_wait()}),
                    client({.tid = 103, .comm = "reader", .stack = mprotect_wait()}),
                    stopped_server()};
  snapshot.tasks[0].fault = FaultState{.address = 0x7f0000000000, .mkwrite = true};
  snapshot.tasks[0].file_wait = page_of(41);
  snapshot.locks = {client_lock({writer(102)}, {waits(103, LockMode::write)})};
  snapshot.locks[0].writer_holds = true;
  snapshot.fuse = {write_back()};
  return snapshot;
}

TEST(VmaLock, TheFaultIsTheRootAndNotWhoWaitsForItWithMmapLockHeld) {
  const Explanation result = explained(mkwrite_stall());
  EXPECT_EQ(result.signature, "vma_lock_held:fault_read>mprotect_write");
  EXPECT_EQ(result.root.holder, "task:101");
  EXPECT_EQ(result.root.first_writer, "task:102");
  EXPECT_FALSE(result.cycle);
  ASSERT_NE(edge(result, result.root.lock, "task:101"), nullptr);
  EXPECT_EQ(edge(result, result.root.lock, "task:101")->certainty, Certainty::inferred);
  ASSERT_NE(edge(result, "task:101", "fuse:41"), nullptr);
  EXPECT_EQ(edge(result, "task:101", "fuse:41")->certainty, Certainty::exact);
}

TEST(VmaLock, WithoutAQueueForMmapLockTheStallIsTheSame) {
  LockSnapshot snapshot = mkwrite_stall();
  snapshot.locks.clear();
  snapshot.tasks.erase(snapshot.tasks.begin() + 2);
  EXPECT_EQ(explained(snapshot).signature, "vma_lock_held:fault_read>mprotect_write");
}

TEST(VmaLock, LeftOutOnPurposeNobodyKnowsWhatIsWaitedFor) {
  const Explanation result =
      explain(mkwrite_stall(), shipped(), detector_named("vma-lock").value());
  EXPECT_NE(result.stall_class, "vma_lock_held");
}

TEST(VmaLock, AFaultOfAnotherAddressSpaceIsNotItsHolder) {
  LockSnapshot snapshot = mkwrite_stall();
  snapshot.tasks[0].mm = 0xffff888300000000;
  snapshot.tasks[0].tgid = 300;
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "vma_lock_held");
  EXPECT_EQ(result.root.holder, "");
}

TEST(VmaLock, AFaultThatHasLetGoIsNotItsHolder) {
  LockSnapshot snapshot = mkwrite_stall();
  snapshot.tasks[0].stack = task(0, 0, {.stack = second_try_fault()}).stack;
  snapshot.tasks[0].fault = FaultState{.address = 0x7f0000000000, .vma_lock = true};
  EXPECT_EQ(explained(snapshot).root.holder, "");
}

TEST(VmaLock, AServiceThatNeedsTheMmapLockClosesTheCircleOverTheVma) {
  LockSnapshot snapshot = mkwrite_stall();
  snapshot.tasks[3] = server({.tid = 200, .comm = "ffs", .stack = {"__access_remote_vm"}});
  snapshot.locks[0].waiters.push_back(waits(200, LockMode::read));
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.stall_class, "mmap_lock_cycle") << result.summary;
  EXPECT_EQ(result.root.holder, "task:102");
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(result.cycle->front(), "task:102");
}

TEST(VmaLock, AYoungWaitIsOrdinaryWork) {
  LockSnapshot snapshot = mkwrite_stall();
  for (TaskRow& row : snapshot.tasks) row.unchanged_for = 50 * kMillisecond;
  snapshot.fuse = {connection({request(0, 16, 50 * kMillisecond)})};
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(PageWait, MunmapOfADirtyPageHoldsTheLockUntilTheServiceAnswers) {
  LockSnapshot snapshot;
  snapshot.tasks = {client({.tid = 101, .comm = "unmapper", .stack = munmap_flush()}),
                    client({.tid = 102, .comm = "writer", .stack = mprotect_wait()}),
                    stopped_server()};
  snapshot.tasks[0].file_wait = page_of(41);
  snapshot.locks = {client_lock({}, {waits(102, LockMode::write)})};
  snapshot.locks[0].reader_count = 1;
  snapshot.locks[0].writer_holds = false;
  snapshot.fuse = {write_back()};
  Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "mmap_lock_held:munmap_read>mprotect_write");
  EXPECT_EQ(result.root.holder, "task:101");
  EXPECT_TRUE(has(result.summary, "until FUSE connection 41 answers")) << result.summary;

  snapshot.tasks[0].file_wait = page_of(42);  // another connection's page
  result = explained(snapshot);
  EXPECT_EQ(edge(result, "task:101", "fuse:41"), nullptr);

  snapshot.tasks[0].file_wait = page_of(41);
  snapshot.tasks[2] = server({.tid = 200, .comm = "ffs", .stack = {"__access_remote_vm"}});
  snapshot.locks[0].waiters.push_back(waits(200, LockMode::read));
  result = explained(snapshot);
  EXPECT_EQ(result.signature, "mmap_lock_cycle:munmap_read>mprotect_write>service_read");
}

std::vector<std::string> asks_for_name() {
  return {"request_wait_answer", "__fuse_simple_request", "fuse_create_open", "path_openat"};
}

TEST(Directory, WhoAsksForANameKeepsTheDirectory) {
  LockSnapshot snapshot;
  snapshot.tasks = {
      client({.tid = 101, .comm = "maker", .state = 'S', .stack = asks_for_name()}),
      client({.tid = 102, .comm = "second", .stack = {"path_openat", "do_filp_open"}}),
      stopped_server()};
  LockRow lock;
  lock.kind = LockKind::rwsem;
  lock.address = 0xffff888300000000;
  lock.holders = {writer(101)};
  lock.waiters = {waits(102, LockMode::write)};
  lock.queue_known = true;
  snapshot.locks = {lock};
  snapshot.fuse = {connection({request(101, 35, 2 * kSecond)})};
  Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "dir_lock:request>directory") << result.summary;
  EXPECT_EQ(result.root.holder, "task:101");

  snapshot.locks.clear();  // a kernel that does not say which lock it is
  result = explained(snapshot);
  EXPECT_EQ(result.signature, "dir_lock:request>directory") << result.summary;
  EXPECT_EQ(result.root.holder, "task:101");

  snapshot.tasks.erase(snapshot.tasks.begin() + 1);  // nobody waits for the directory
  EXPECT_EQ(explained(snapshot).stall_class, "fs_server_stuck");
}

TEST(Directory, AHolderThatAsksNoServiceIsAnOrdinaryLock) {
  LockSnapshot snapshot;
  snapshot.tasks = {client({.tid = 101, .comm = "maker", .stack = {"msleep", "path_openat"}}),
                    client({.tid = 102, .comm = "second", .stack = {"path_openat"}})};
  LockRow lock;
  lock.kind = LockKind::rwsem;
  lock.address = 0xffff888300000000;
  lock.holders = {writer(101)};
  lock.waiters = {waits(102, LockMode::write)};
  snapshot.locks = {lock};
  EXPECT_EQ(explained(snapshot).stall_class, "lock_held");
}

}  // namespace
}  // namespace stallproof
