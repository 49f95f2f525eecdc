// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_read.h"

#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

std::string explained(const LockSnapshot& snapshot) {
  return render_json(explain(snapshot, *FsKnowledge::shipped()));
}

LockSnapshot seed_crash() {
  std::string text;
  for (const char* name : {"foreach-bt.txt", "bt-holder.txt", "bt-writer.txt", "rwsem-waiters.txt"})
    text += read_file(source_file(std::string("examples/seed-crash/") + name)).value_or("") + "\n";
  return parse_crash_text(text).snapshot;
}

TEST(SnapshotRead, SavedSnapshotIsExplainedAsTheLiveOne) {
  for (const LockSnapshot& snapshot : {fixture::reported_stall(), seed_crash()}) {
    ASSERT_FALSE(snapshot.tasks.empty());
    const auto again = read_snapshot_json(snapshot_json(snapshot));
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(explained(*again), explained(snapshot));
    EXPECT_EQ(snapshot_json(*again), snapshot_json(snapshot));
  }
}

TEST(SnapshotRead, EveryFactOfAWaitSurvives) {
  LockSnapshot snapshot = fixture::reported_stall();
  TaskRow& task = snapshot.tasks[0];
  task.parent_tgid = 42;
  task.halt = Halt::frozen;
  task.in_exec = true;
  task.cpu_throttled = true;
  task.file_wait = FileWait{FileWait::How::freeze, 7, 3, 12};
  task.cpu = CpuShare{300 * kMillisecond, kMillisecond, 299 * kMillisecond};
  task.io_limit = "io.max 7:3 rbps=64 in /sys/fs/cgroup/slow";
  task.cpu_limit = "cpu.max 1000 100000 in /sys/fs/cgroup/slow";
  task.fault->mkwrite = true;
  DeviceRow device;
  device.name = "loop3";
  device.device_major = 7;
  device.device_minor = 3;
  device.reads_in_flight = 1;
  device.completed = 99;
  device.unchanged_for = kSecond;
  device.backing_file = "/mnt/fuse/disk";
  device.mount_point = "/mnt/data";
  snapshot.devices = {device};
  const auto again = read_snapshot_json(snapshot_json(snapshot));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(snapshot_json(*again), snapshot_json(snapshot));
  EXPECT_EQ(again->tasks[0].parent_tgid, 42);
  EXPECT_EQ(again->tasks[0].halt, Halt::frozen);
  EXPECT_TRUE(again->tasks[0].in_exec);
  EXPECT_TRUE(again->tasks[0].cpu_throttled);
  EXPECT_EQ(again->tasks[0].file_wait->how, FileWait::How::freeze);
  EXPECT_EQ(again->tasks[0].cpu->waited, 299 * kMillisecond);
  EXPECT_EQ(again->devices[0].unchanged_for, kSecond);
}

TEST(SnapshotRead, AnOldSnapshotHasNoneOfThem) {
  const auto old = read_snapshot_json(R"({"schema":1,"tasks":[{"tid":1,"state":"D"}]})");
  ASSERT_TRUE(old) << old.error().what;
  EXPECT_EQ(old->tasks[0].halt, Halt::none);
  EXPECT_FALSE(old->tasks[0].file_wait);
  EXPECT_FALSE(old->tasks[0].cpu);
  EXPECT_TRUE(old->devices.empty());
}

TEST(SnapshotRead, WrongTypesNameTheirPlace) {
  const auto problem = [](const char* text) {
    const auto read = read_snapshot_json(text);
    return read ? "read" : read.error().what;
  };
  EXPECT_EQ(problem(R"({"schema":1,"tasks":[{"tid":1},{"tid":"x"}]})"),
            "snapshot: tasks[1].tid: not a number");
  EXPECT_EQ(problem(R"({"schema":1,"tasks":[{"tid":99999999999}]})"),
            "snapshot: tasks[0].tid: out of range");
  EXPECT_EQ(problem(R"({"schema":1,"locks":[{"waiters":[{"mode":"sideways"}]}]})"),
            "snapshot: locks[0].waiters[0].mode: an unknown word");
  EXPECT_EQ(problem(R"({"schema":1,"tasks":7})"), "snapshot: tasks: not a list");
  EXPECT_EQ(problem(R"({"schema":2})"), "snapshot: schema 2 is not known (1 is)");
  EXPECT_EQ(problem("[1"), "snapshot: not JSON, or cut");
}

TEST(SnapshotRead, NoCutOrDamageCrashes) {
  const std::string text = snapshot_json(fixture::reported_stall());
  for (std::size_t at = 0; at < text.size(); at += 7) {
    [[maybe_unused]] const auto cut = read_snapshot_json(std::string_view(text).substr(0, at));
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    if (const auto read = read_snapshot_json(damaged)) explained(*read);
  }
}

}  // namespace
}  // namespace stallproof
