// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/block_devices.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class BlockDevicesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(sys_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(sys_); }
  void put(const std::string& file, const std::string& text) {
    const std::filesystem::path path = sys_ + "/class/block/" + file;
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(write_file_atomically(path, text));
  }
  void put_loop(const std::string& inflight, const std::string& stat) {
    put("loop3/dev", "7:3\n");
    put("loop3/inflight", inflight);
    put("loop3/stat", stat);
    put("loop3/loop/backing_file", "/mnt/fuse/a disk\n");
  }
  DeviceLook look(Nanos at) {
    DeviceLook seen = look_at_devices(sys_);
    seen.taken_ns = at;
    return seen;
  }
  std::string sys_ = "/tmp/stallproof-sys-XXXXXX";
};

TEST_F(BlockDevicesTest, InFlightAndNothingCompletedIsUnchanged) {
  put_loop("       1        2\n", " 5 0 40 3 7 0 8 2 3 9 9 0 0 0 0 4 1\n");
  const auto rows = compare_devices(look(kSecond), look(2 * kSecond));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "loop3");
  EXPECT_EQ(rows[0].device_major, 7U);
  EXPECT_EQ(rows[0].device_minor, 3U);
  EXPECT_EQ(rows[0].reads_in_flight, 1U);
  EXPECT_EQ(rows[0].writes_in_flight, 2U);
  EXPECT_EQ(rows[0].completed, 16U);  // reads, writes and flushes
  EXPECT_EQ(rows[0].backing_file, "/mnt/fuse/a disk");
  EXPECT_EQ(rows[0].unchanged_for, kSecond);
}

TEST_F(BlockDevicesTest, OneCompletionIsProgress) {
  put_loop("1 0\n", "5 0 40 3 7 0 8 2 3 9 9\n");
  const DeviceLook before = look(kSecond);
  put_loop("1 0\n", "6 0 40 3 7 0 8 2 3 9 9\n");
  EXPECT_FALSE(compare_devices(before, look(2 * kSecond)).at(0).unchanged_for);
}

TEST_F(BlockDevicesTest, ADeviceWithoutWorkIsNotNamed) {
  put_loop("0 0\n", "5 0 40 3 7 0 8 2 0 9 9\n");
  EXPECT_TRUE(look(kSecond).devices.empty());
}

TEST_F(BlockDevicesTest, ASuspendedDeviceIsNamedAlthoughNothingIsInFlight) {
  put("dm-0/dev", "253:0\n");
  put("dm-0/inflight", "0 0\n");
  put("dm-0/stat", "5 0 40 3 7 0 8 2 0 9 9\n");
  put("dm-0/dm/suspended", "1\n");
  const auto rows = compare_devices(look(kSecond), look(2 * kSecond));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].suspended);
  EXPECT_EQ(rows[0].unchanged_for, kSecond);
  put("dm-0/dm/suspended", "0\n");
  EXPECT_TRUE(look(kSecond).devices.empty());
}

TEST_F(BlockDevicesTest, DamagedFilesAreNoDevices) {
  put("a/inflight", "");
  put("b/inflight", "1 x\n");
  put("c/inflight", "1 1\n");  // and no number
  EXPECT_TRUE(look(kSecond).devices.empty());
  const DeviceLook blind = look_at_devices("/nonexistent");
  EXPECT_TRUE(blind.devices.empty());
  EXPECT_NE(blind.problem.find("/nonexistent"), std::string::npos);
  EXPECT_TRUE(look_at_devices().problem.empty());
}

}  // namespace
}  // namespace stallproof
