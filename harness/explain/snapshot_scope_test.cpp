// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_scope.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

LockSnapshot two_stalls() {
  LockSnapshot snapshot;
  for (const std::int32_t tid : {11, 12, 21, 22, 31}) {
    TaskRow task;
    task.tid = tid;
    task.tgid = tid / 10 * 10;
    snapshot.tasks.push_back(task);
  }
  for (const std::int32_t tgid : {10, 20}) {
    LockRow lock;
    lock.tgid = tgid;
    lock.waiters.push_back({.tid = tgid + 1});
    snapshot.locks.push_back(lock);
    FuseConnection connection;
    connection.number = static_cast<std::uint32_t>(tgid);
    connection.requests.push_back({.client_tid = tgid + 2});
    snapshot.fuse.push_back(connection);
  }
  return snapshot;
}

TEST(SnapshotScope, SomebodyElsesStallIsLeftOut) {
  LockSnapshot snapshot = two_stalls();
  keep_only_processes(snapshot, {10});
  ASSERT_EQ(snapshot.tasks.size(), 2U);
  ASSERT_EQ(snapshot.locks.size(), 1U);
  ASSERT_EQ(snapshot.fuse.size(), 1U);
  EXPECT_EQ(snapshot.locks[0].tgid, 10);
  EXPECT_EQ(snapshot.fuse[0].number, 10U);
}

TEST(SnapshotScope, StrangerWhoHoldsOurLockStays) {
  LockSnapshot snapshot = two_stalls();
  snapshot.locks[0].holders.push_back({.tid = 31});
  keep_only_processes(snapshot, {10});
  ASSERT_EQ(snapshot.tasks.size(), 3U);
  EXPECT_EQ(snapshot.tasks.back().tid, 31);
}

std::vector<std::int32_t> kept(LockSnapshot snapshot) {
  keep_only_processes(snapshot, with_those_waited_for(snapshot, {10}));
  std::vector<std::int32_t> tids;
  for (const TaskRow& task : snapshot.tasks) tids.push_back(task.tid);
  return tids;
}

TEST(SnapshotScope, WhoServesThePageThatIsWaitedForBelongsToIt) {
  LockSnapshot snapshot = two_stalls();
  snapshot.fuse[1].server_tgids = {30};
  EXPECT_EQ(kept(snapshot), (std::vector<std::int32_t>{11, 12}));
  snapshot.tasks[0].file_wait = FileWait{FileWait::How::page, 0, 20, 2};
  EXPECT_EQ(kept(snapshot), (std::vector<std::int32_t>{11, 12, 31}));
}

LockSnapshot beside_a_stuck_loop_device() {
  LockSnapshot snapshot = two_stalls();
  for (TaskRow& task : snapshot.tasks) {
    task.state = 'S';
    task.stack.push_back({.function = "do_sys_poll", .module = {}});
  }
  TaskRow& worker = snapshot.tasks[4];
  worker.tgid = worker.tid;
  worker.kernel_thread = true;
  worker.stack = {{.function = "loop_process_work", .module = {}}};
  DeviceRow device;
  device.backing_file = "/mnt/disk";
  device.unchanged_for = kSecond;
  snapshot.devices = {device};
  return snapshot;
}

const std::vector<std::int32_t> kOurs{11, 12};
const std::vector<std::int32_t> kOursAndWorker{11, 12, 31};

TEST(SnapshotScope, WorkersOfAStuckLoopDeviceBelongToWhoMayWaitForIt) {
  LockSnapshot snapshot = beside_a_stuck_loop_device();
  snapshot.tasks[0].state = 'D';
  EXPECT_EQ(kept(snapshot), kOursAndWorker);
  snapshot = beside_a_stuck_loop_device();
  snapshot.tasks[0].stack = {{.function = "io_cqring_wait", .module = {}}};
  EXPECT_EQ(kept(snapshot), kOursAndWorker) << "in S, by a ring";
  snapshot.tasks[0].stack.clear();
  EXPECT_EQ(kept(snapshot), kOursAndWorker) << "what was not seen may be a wait";
}

TEST(SnapshotScope, WorkersOfALoopDeviceBelongToNobodyWhoDoesNoIo) {
  LockSnapshot snapshot = beside_a_stuck_loop_device();
  EXPECT_EQ(kept(snapshot), kOurs);
  snapshot.tasks[0].state = 'D';
  snapshot.devices[0].unchanged_for.reset();
  EXPECT_EQ(kept(snapshot), kOurs) << "the device is not stuck";
}

TEST(SnapshotScope, ABlockedChildBelongsToItsParent) {
  LockSnapshot snapshot = two_stalls();
  snapshot.tasks[4].parent_tgid = 10;
  EXPECT_EQ(kept(snapshot), (std::vector<std::int32_t>{11, 12, 31}));
  snapshot.tasks[4].parent_tgid = 1;
  EXPECT_EQ(kept(snapshot), (std::vector<std::int32_t>{11, 12}));
}

}  // namespace
}  // namespace stallproof
