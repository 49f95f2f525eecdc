// SPDX-License-Identifier: Apache-2.0
#include "harness/run/before_incident.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "harness/base/file.h"
#include "harness/probe/scan_record.h"
#include "harness/run/blocked_history.h"

namespace stallproof {
namespace {

void add_row(EvidenceArea& area, Nanos at, std::string_view log) {
  const std::uint64_t count = area.system_count.load();
  std::uint64_t written = area.kmsg_written.load();
  SystemRow& row = area.system_rows[count % kSystemRows];
  row = {.at_ns = at, .kmsg_written = written, .hung_tasks = 2};
  row.pressure[kPressureIo] = {.some_us = 7, .full_us = 5, .some_avg10 = 1234, .full_avg10 = 50};
  row.disks[0] = {.completed = count, .in_flight = 3};
  row.fuse_waiting[1] = 9;
  for (const char byte : log) area.kmsg[written++ % kKmsgBytes] = byte;
  area.kmsg_written.store(written);
  area.system_count.store(count + 1);
}

TEST(BeforeIncident, SystemRowsNameTheirDisksAndConnections) {
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  EvidenceArea& area = evidence->area();
  area.disk_names[0].bytes = {"vdb"};
  area.disk_count.store(1);
  area.watched_fuse[1].store(40);
  add_row(area, kSecond, "");
  EXPECT_EQ(system_csv(area, copy_system_rows(area)),
            "at_ns,hung_tasks,io_some_us,io_full_us,io_some_avg10,io_full_avg10,"
            "memory_some_us,memory_full_us,memory_some_avg10,memory_full_avg10,"
            "cpu_some_us,cpu_full_us,cpu_some_avg10,cpu_full_avg10,"
            "vdb_completed,vdb_in_flight,fuse_40_waiting\n"
            "1000000000,2,7,5,12.34,0.50,0,0,0.00,0.00,0,0,0.00,0.00,0,3,9\n");
}

TEST(BeforeIncident, HoldsTheMinuteBeforeAndNothingElse) {
  const std::string folder = "/tmp/before_incident." + std::to_string(::getpid());
  auto evidence = Evidence::create();
  auto lens = LiveLens::open({});
  auto run = RunDir::create({.out = folder, .name_stem = "before"});
  ASSERT_TRUE(evidence && lens && run);
  for (const Nanos at : {10 * kSecond, 50 * kSecond, 100 * kSecond, 109 * kSecond, 120 * kSecond})
    add_row(evidence->area(), at, "[ " + std::to_string(at / kSecond) + ".000000] a line\n");
  save_before(*run, "incidents/001/before/", evidence->area(), {"load, one"}, *lens, 110 * kSecond);
  const auto rows = read_file(folder + "/incidents/001/before/system.csv");
  const auto log = read_file(folder + "/incidents/001/before/kmsg.txt");
  const auto views = read_file(folder + "/incidents/001/before/views.csv");
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(rows && log && views);
  EXPECT_EQ(rows->find("\n10000000000,"), std::string::npos);
  EXPECT_NE(rows->find("\n50000000000,"), std::string::npos);
  EXPECT_NE(rows->find("\n109000000000,"), std::string::npos);
  EXPECT_EQ(rows->find("\n120000000000,"), std::string::npos);
  EXPECT_TRUE(log->starts_with("[ 50.000000]")) << *log;
  EXPECT_TRUE(views->starts_with("at_ns,load_ one_ops,load_ one_in_flight\n")) << *views;
}

std::vector<std::byte> scan_with(std::int32_t tid, std::uint64_t frame, std::uint32_t why) {
  ScanTask task{};
  task.head = {SCAN_TASK, sizeof task};
  task.tid = task.tgid = tid;
  task.why = why;
  task.frames[0] = frame;
  std::memcpy(task.comm, "java", 5);
  std::vector<std::byte> bytes(sizeof task);
  std::memcpy(bytes.data(), &task, sizeof task);
  return bytes;
}

TEST(BlockedHistory, KeepsAnEntryOnlyForAChange) {
  BlockedHistory history;
  for (Nanos at = 1; at <= 5; ++at)
    history.take(at * kSecond, scan_with(7, 0x1000, SCAN_WHY_BLOCKED));
  EXPECT_EQ(history.entries(), 1U);
  history.take(6 * kSecond, scan_with(7, 0x2000, SCAN_WHY_BLOCKED));
  history.take(7 * kSecond, scan_with(7, 0x2000, SCAN_WHY_WATCHED));  // no longer blocked
  EXPECT_EQ(history.entries(), 3U);
  EXPECT_EQ(history.text({}, 8 * kSecond),
            "-7.000 s: 1 blocked\n  java 7 (process 7): 0x1000\n"
            "-2.000 s: 1 blocked\n  java 7 (process 7): 0x2000\n"
            "-1.000 s: 0 blocked\n");
}

TEST(BlockedHistory, WhatStoodBeforeTheMinuteAndStillStandsIsTold) {
  BlockedHistory history;
  history.take(1 * kSecond, scan_with(1, 0x1000, SCAN_WHY_BLOCKED));
  history.take(2 * kSecond, scan_with(2, 0x2000, SCAN_WHY_BLOCKED));
  const std::string text = history.text({}, 100 * kSecond);
  EXPECT_EQ(text.find("java 1"), std::string::npos);
  EXPECT_NE(text.find("-98.000 s"), std::string::npos);
  EXPECT_EQ(history.text({}, kSecond / 2), "");
}

TEST(BlockedHistory, GarbageAndManyTasksAreBounded) {
  BlockedHistory history;
  std::vector<std::byte> many;
  for (std::int32_t tid = 1; tid <= 1000; ++tid) {
    const auto one = scan_with(tid, 0x1000, SCAN_WHY_BLOCKED);
    many.insert(many.end(), one.begin(), one.end());
  }
  many.insert(many.end(), 9, std::byte{0xff});
  history.take(kSecond, many);
  const std::string text = history.text({}, kSecond);
  EXPECT_NE(text.find("1000 blocked"), std::string::npos);
  EXPECT_NE(text.find("and 872 more"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
