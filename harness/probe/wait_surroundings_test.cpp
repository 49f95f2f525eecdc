// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/wait_surroundings.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr const char* kHybrid =
    "9:blkio:/slow/inner\n4:cpu,cpuacct:/slow\n1:name=systemd:/\n0::/slow\n";

class WaitSurroundingsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(root_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root_ + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(write_file_atomically(path, text));
  }
  std::string root_ = "/tmp/stallproof-groups-XXXXXX";
};

TEST_F(WaitSurroundingsTest, ALimitOfAnAncestorHolds) {
  put("blkio/slow/blkio.throttle.write_bps_device", "7:2 100\n7:3 64\n");
  EXPECT_EQ(io_limit_of(kHybrid, "7:3", root_),
            "blkio.throttle.write_bps_device 7:3 64 in " + root_ + "/blkio/slow");
}

TEST_F(WaitSurroundingsTest, ALimitOnAnotherDeviceDoesNot) {
  put("blkio/slow/blkio.throttle.write_bps_device", "7:33 64\n");
  EXPECT_EQ(io_limit_of(kHybrid, "7:3", root_), "");
  EXPECT_NE(io_limit_of(kHybrid, "", root_), "");
}

TEST_F(WaitSurroundingsTest, TheSecondVersionIsFoundInBothPlaces) {
  put("unified/slow/io.max", "7:3 rbps=64 wbps=max riops=max wiops=max\n");
  EXPECT_EQ(io_limit_of(kHybrid, "7:3", root_),
            "io.max 7:3 rbps=64 wbps=max riops=max wiops=max in " + root_ + "/unified/slow");
  put("slow/io.max", "8:0 rbps=64\n");
  EXPECT_EQ(io_limit_of("0::/slow\n", "8:0", root_), "io.max 8:0 rbps=64 in " + root_ + "/slow");
}

TEST_F(WaitSurroundingsTest, AQuotaCountsOnceItWasEnforced) {
  put("cpu/slow/cpu.cfs_quota_us", "1000\n");
  put("cpu/slow/cpu.cfs_period_us", "100000\n");
  put("cpu/slow/cpu.stat", "nr_periods 9\nnr_throttled 0\nthrottled_time 0\n");
  EXPECT_EQ(cpu_limit_of(kHybrid, root_, false), "");
  EXPECT_NE(cpu_limit_of(kHybrid, root_, true), "");
  put("cpu/slow/cpu.stat", "nr_periods 9\nnr_throttled 7\nthrottled_time 123\n");
  EXPECT_EQ(cpu_limit_of(kHybrid, root_, false),
            "cpu.cfs_quota_us 1000 of 100000 in " + root_ + "/cpu/slow (throttled 7 times)");
  EXPECT_EQ(cpu_limit_of("0::/\n", root_, true), "");
}

TEST_F(WaitSurroundingsTest, DamagedTextsHaveNoLimits) {
  for (const char* const text : {"", ":", "::", "blkio", "9:blkio", "9:blkio:", "\n\n"}) {
    EXPECT_EQ(io_limit_of(text, "", root_), "") << text;
    EXPECT_EQ(cpu_limit_of(text, root_, true), "") << text;
  }
}

}  // namespace
}  // namespace stallproof
