// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/system_sampler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

constexpr std::string_view kPressure =
    "some avg10=25.73 avg60=16.29 avg300=8.66 total=487604047\n"
    "full avg10=5.20 avg60=13.23 avg300=6.89 total=207632749\n";
constexpr std::string_view kDisks =
    "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    " 254       0 vda 10 0 80 5 20 0 160 7 3 12 12 4 0 9 1 6 2\n"
    " 254       1 vda1 9 0 72 5 20 0 160 7 3 12 12 0 0 0 0 0 0\n"
    " 259       0 nvme0n1 1 0 8 0 0 0 0 0 0 0 0\n";

TEST(SystemText, PressureIsReadInHundredths) {
  PressureRow row;
  ASSERT_TRUE(parse_pressure(kPressure, row));
  EXPECT_EQ(row.some_avg10, 2573U);
  EXPECT_EQ(row.full_avg10, 520U);
  EXPECT_EQ(row.some_us, 487604047U);
  EXPECT_EQ(row.full_us, 207632749U);
}

TEST(SystemText, PressureOfCpuMayLackItsFullLine) {
  PressureRow row;
  EXPECT_TRUE(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", row));
  EXPECT_EQ(row.some_us, 7U);
  EXPECT_EQ(row.full_us, 0U);
}

TEST(SystemText, GarbageChangesNothing) {
  PressureRow row{.some_us = 5};
  for (const char* text : {"", "some", "some avg10=x total=1\n", "full avg10=1.00 total=1\n",
                           "some avg10=1.0 total=1\n", "some avg10=1.00 total=\n"})
    EXPECT_FALSE(parse_pressure(text, row)) << text;
  EXPECT_EQ(row.some_us, 5U);
  for (const char* text :
       {"", "8", "8 0", "8 0 sda", "8 0 sda 1 2 3", "a 0 sda 1 2 3 4 5 6 7 8 9 0 1"})
    EXPECT_FALSE(parse_disk_line(text)) << text;
}

TEST(SystemText, DiskLineOfAnOldKernelHasElevenNumbers) {
  const auto disk = parse_disk_line("   8       0 sda 1 2 3 4 5 6 7 8 9 10 11");
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->name, "sda");
  EXPECT_EQ(disk->row.completed, 6U);
  EXPECT_EQ(disk->row.in_flight, 9U);
}

TEST(SystemText, PartitionsAreTheirDisk) {
  EXPECT_TRUE(is_partition_of("vda1", "vda"));
  EXPECT_TRUE(is_partition_of("nvme0n1p2", "nvme0n1"));
  EXPECT_FALSE(is_partition_of("vdb", "vda"));
  EXPECT_FALSE(is_partition_of("vdaa", "vda"));
  EXPECT_FALSE(is_partition_of("loop10", "loop1"));
  EXPECT_FALSE(is_partition_of("vda1", ""));
}

class Sampled {
 public:
  Sampled() : evidence(*Evidence::create()) {
    tree.put("proc/pressure/io", kPressure);
    tree.put("proc/pressure/memory", kPressure);
    tree.put("proc/pressure/cpu", kPressure);
    tree.put("proc/diskstats", kDisks);
    tree.put("proc/sys/kernel/hung_task_detect_count", "12\n");
    tree.put("sys/fs/fuse/connections/40/waiting", "3\n");
  }
  SystemRow sample() {
    SystemRow row;
    sampler.sample(kSecond, evidence.area(), row);
    return row;
  }
  FakeTree tree;
  Evidence evidence;
  SystemSampler sampler;
};

TEST(SystemSampler, ReadsAllOfIt) {
  Sampled made;
  made.sampler.open(made.evidence.area(), made.tree.root());
  made.evidence.area().watched_fuse[1].store(40);
  const SystemRow row = made.sample();
  EXPECT_EQ(made.evidence.area().system_problem[0], '\0');
  EXPECT_EQ(row.at_ns, kSecond);
  EXPECT_EQ(row.hung_tasks, 12U);
  EXPECT_EQ(row.pressure[kPressureMemory].full_avg10, 520U);
  ASSERT_EQ(made.evidence.area().disk_count.load(), 2U);  // not the idle loop, not the partition
  EXPECT_STREQ(made.evidence.area().disk_names[0].bytes.data(), "vda");
  EXPECT_STREQ(made.evidence.area().disk_names[1].bytes.data(), "nvme0n1");
  EXPECT_EQ(row.disks[0].completed, 40U);
  EXPECT_EQ(row.disks[0].in_flight, 3U);
  EXPECT_EQ(row.fuse_waiting[0], 0U);
  EXPECT_EQ(row.fuse_waiting[1], 3U);
}

TEST(SystemSampler, DisksBeyondItsRoomAreCounted) {
  Sampled made;
  std::string disks;
  for (std::size_t i = 0; i < kSystemDisks + 3; ++i)
    disks += fmt::format("   8 {} sd{} 1 0 8 0 0 0 0 0 0 0 0\n", i, std::string(i + 1, 'x'));
  made.tree.put("proc/diskstats", disks + "   7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n");
  made.sampler.open(made.evidence.area(), made.tree.root());
  made.sample();
  EXPECT_EQ(made.evidence.area().disks_left_out.load(), 3U);
  Sampled few;
  few.sampler.open(few.evidence.area(), few.tree.root());
  few.sample();
  EXPECT_EQ(few.evidence.area().disks_left_out.load(), 0U);
}

TEST(SystemSampler, ForgottenConnectionIsNoLongerRead) {
  Sampled made;
  made.sampler.open(made.evidence.area(), made.tree.root());
  made.evidence.area().watched_fuse[0].store(40);
  EXPECT_EQ(made.sample().fuse_waiting[0], 3U);
  made.evidence.area().watched_fuse[0].store(0);
  EXPECT_EQ(made.sample().fuse_waiting[0], 0U);
  made.evidence.area().watched_fuse[0].store(41);  // there is none
  EXPECT_EQ(made.sample().fuse_waiting[0], 0U);
}

TEST(SystemSampler, WhatIsMissingIsNamed) {
  const FakeTree empty;
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  SystemSampler sampler;
  sampler.open(evidence->area(), empty.root());
  const std::string problem = evidence->area().system_problem.data();
  EXPECT_NE(problem.find("/proc/pressure"), std::string::npos) << problem;
  EXPECT_NE(problem.find("/proc/diskstats"), std::string::npos) << problem;
  SystemRow row;
  sampler.sample(kSecond, evidence->area(), row);
  EXPECT_EQ(row.at_ns, kSecond);
}

TEST(SystemSampler, ReadsThisMachine) {
  auto evidence = Evidence::create();
  ASSERT_TRUE(evidence);
  SystemSampler sampler;
  sampler.open(evidence->area());
  SystemRow row;
  sampler.sample(kSecond, evidence->area(), row);
  sampler.sample(2 * kSecond, evidence->area(), row);
  EXPECT_EQ(row.at_ns, 2 * kSecond);
}

}  // namespace
}  // namespace stallproof
