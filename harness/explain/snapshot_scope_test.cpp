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

}  // namespace
}  // namespace stallproof
