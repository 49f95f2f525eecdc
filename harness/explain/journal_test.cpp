// SPDX-License-Identifier: Apache-2.0
// Journals that do not commit, and suspended devices, with what must change for them not to be
// told.
#include <gtest/gtest.h>

#include "harness/explain/explain.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/explain/snapshot_read.h"
#include "harness/explain/snapshot_scope.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

using namespace fixture;

Explanation explained(const LockSnapshot& snapshot) { return explain(snapshot, shipped()); }

DeviceRow suspended_device() {
  DeviceRow device;
  device.name = "dm-0";
  device.device_major = 253;
  device.suspended = true;
  device.unchanged_for = kSecond;
  return device;
}
TaskRow syncer(std::int32_t tid) {
  return client({.tid = tid,
                 .comm = "sync",
                 .stack = {"jbd2_log_wait_commit", "ext4_sync_file", "__x64_sys_fsync"}});
}
TaskRow journal_thread(const char* name) {
  TaskRow row = task(
      300, 0,
      {.tid = 300,
       .comm = name,
       .stack = {"__wait_on_buffer", "jbd2_journal_commit_transaction", "kjournald2", "kthread"}});
  row.kernel_thread = true;
  return row;
}
TaskRow at_the_device(std::int32_t tid) {
  TaskRow row = client({.tid = tid, .comm = "io", .stack = {"__blkdev_direct_IO_simple"}});
  row.file_wait = FileWait{FileWait::How::file, 253, 0, 9};
  return row;
}

LockSnapshot stuck_journal() {
  LockSnapshot snapshot;
  snapshot.tasks = {syncer(101), syncer(102), journal_thread("jbd2/dm-0-8")};
  snapshot.devices = {suspended_device()};
  return snapshot;
}

TEST(JournalStuck, IsToldWithItsThreadAndTheDeviceBehindIt) {
  const Explanation result = explained(stuck_journal());
  EXPECT_EQ(result.signature, "journal_stuck:request>journal>device_suspended") << result.summary;
  EXPECT_EQ(result.root.holder, "task:300");
  EXPECT_TRUE(has(result.summary, "journal of dm-0, which is suspended")) << result.summary;
  EXPECT_TRUE(has(result.advice, "dmsetup resume -j 253 -m 0")) << result.advice;
  EXPECT_NE(edge(result, "task:101", "fs:journal"), nullptr);
  EXPECT_NE(edge(result, "fs:journal", "task:300"), nullptr);
}

TEST(JournalStuck, OfADeviceThatMerelyCompletesNothing) {
  LockSnapshot snapshot = stuck_journal();
  snapshot.devices[0].suspended = false;
  snapshot.devices[0].writes_in_flight = 3;
  EXPECT_EQ(explained(snapshot).signature, "journal_stuck:request>journal>device");
  snapshot.devices[0].name = "dm-1";
  EXPECT_EQ(explained(snapshot).signature, "journal_stuck:request>journal");
}

TEST(JournalStuck, WhoWaitsForTheDeviceItselfMakesItADevice) {
  LockSnapshot snapshot = stuck_journal();
  snapshot.tasks.push_back(at_the_device(103));
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "device_stuck:request>device_suspended") << result.summary;
}

TEST(JournalStuck, ACommitThatHasJustBegunIsOrdinaryWork) {
  LockSnapshot snapshot = stuck_journal();
  for (TaskRow& task : snapshot.tasks) task.unchanged_for = 20 * kMillisecond;
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(JournalStuck, AThreadThatMovesCommits) {
  LockSnapshot snapshot = stuck_journal();
  snapshot.devices.clear();
  snapshot.tasks[2].unchanged_for = 20 * kMillisecond;
  EXPECT_EQ(explained(snapshot).stall_class, "unknown");
}

TEST(JournalStuck, IsToldFromNamesAloneToo) {
  LockSnapshot snapshot;
  snapshot.lens = LensKind::crash_text;
  snapshot.tasks = {syncer(101)};
  for (const char* const way : {"schedule", "__schedule"})
    snapshot.tasks[0].stack.insert(snapshot.tasks[0].stack.begin(), {way, "", 0});
  snapshot.tasks[0].state = '?';
  EXPECT_EQ(explained(snapshot).signature, "journal_stuck:request>journal");
}

TEST(JournalStuck, TheThreadOfAJournalThatIsWaitedForStaysInTheScope) {
  LockSnapshot snapshot = stuck_journal();
  keep_only_processes(snapshot, with_those_waited_for(snapshot, {kClient}));
  EXPECT_EQ(snapshot.tasks.size(), 3U);
  snapshot.tasks[0].stack.clear();
  snapshot.tasks[1].stack.clear();
  keep_only_processes(snapshot, with_those_waited_for(snapshot, {kClient}));
  EXPECT_EQ(snapshot.tasks.size(), 2U);
}

TEST(DeviceSuspended, IsStuckWithoutAnyIoInFlight) {
  LockSnapshot snapshot;
  snapshot.tasks = {at_the_device(101)};
  snapshot.devices = {suspended_device()};
  const Explanation result = explained(snapshot);
  EXPECT_EQ(result.signature, "device_stuck:request>device_suspended");
  EXPECT_TRUE(has(result.summary, "dm-0, which is suspended")) << result.summary;
  const auto read = read_snapshot_json(snapshot_json(snapshot));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->devices[0].suspended);
}

TEST(DeviceSuspended, NobodyWhoWaitsForItIsQuiet) {
  LockSnapshot snapshot;
  snapshot.tasks = {client({.tid = 101, .comm = "load", .state = 'S', .stack = {"do_sys_poll"}})};
  snapshot.devices = {suspended_device()};
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

TEST(DeviceSuspended, WhoWaitsForSomethingUnknownDoesNotWaitForIt) {
  LockSnapshot snapshot;
  snapshot.tasks = {
      client({.tid = 101, .comm = "ring", .state = 'S', .stack = {"io_cqring_wait"}})};
  snapshot.devices = {suspended_device()};
  EXPECT_EQ(explained(snapshot).stall_class, "none");
  snapshot.devices[0].reads_in_flight = 1;
  EXPECT_EQ(explained(snapshot).stall_class, "device_stuck");
}

TEST(DeviceSuspended, BetweenTwoLooksItMayBeAnOrdinaryTableChange) {
  LockSnapshot snapshot;
  snapshot.tasks = {at_the_device(101)};
  snapshot.tasks[0].unchanged_for = 20 * kMillisecond;
  snapshot.devices = {suspended_device()};
  snapshot.devices[0].unchanged_for.reset();
  EXPECT_EQ(explained(snapshot).stall_class, "none");
}

}  // namespace
}  // namespace stallproof
