// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_counters.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(TargetCounters, ProcessIoIsReadByName) {
  const auto io = parse_process_io(
      "rchar: 900\nwchar: 8\nsyscr: 12\nsyscw: 3\nread_bytes: 4096\nwrite_bytes: 512\n"
      "cancelled_write_bytes: 7\n");
  ASSERT_TRUE(io);
  EXPECT_EQ(io->reads, 12U);
  EXPECT_EQ(io->writes, 3U);
  EXPECT_EQ(io->read_bytes, 4096U);
  EXPECT_EQ(io->write_bytes, 512U);
  EXPECT_FALSE(parse_process_io(""));
}

TEST(TargetCounters, CgroupsOfBothVersionsAreSummedOverDevices) {
  const auto second = parse_cgroup_io_stat(
      "8:0 rbytes=100 wbytes=5 rios=2 wios=1 dbytes=0 dios=0\n7:1 rbytes=50 wbytes=0 rios=3 "
      "wios=0\n");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->reads, 5U);
  EXPECT_EQ(second->read_bytes, 150U);
  const auto first =
      parse_cgroup_serviced("8:0 Read 4\n8:0 Write 9\n8:0 Total 13\n7:1 Read 6\nTotal 19\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->reads, 10U);
  EXPECT_EQ(first->writes, 9U);
  EXPECT_TRUE(parse_cgroup_serviced("Total 0\n"));
  EXPECT_FALSE(parse_cgroup_serviced("garbage\n"));
}

TEST(TargetCounters, OnlyTheNamedDeviceCounts) {
  const char* const text =
      "   7       0 loop0 11 0 88 1 0 0 0 0 2 4 4\n"
      "   7      10 loop10 500 0 88 1 0 0 0 0 0 4 4\n";
  const auto disk = parse_diskstats(text, "7 0");
  ASSERT_TRUE(disk);
  EXPECT_EQ(disk->totals.reads, 11U);
  EXPECT_EQ(disk->totals.read_bytes, 88U * 512);
  EXPECT_EQ(disk->in_flight, 2U);
  EXPECT_FALSE(parse_diskstats(text, "7 1"));
  EXPECT_FALSE(parse_diskstats("7 0 loop0 1 2\n", "7 0"));
}

}  // namespace
}  // namespace stallproof
