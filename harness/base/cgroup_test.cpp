// SPDX-License-Identifier: Apache-2.0
// On ordinary files in the place of the kernel's: what would be written where.
#include "harness/base/cgroup.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace stallproof {
namespace {

class CgroupFiles : public testing::Test {
 protected:
  CgroupFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "cgroup-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~CgroupFiles() override { std::filesystem::remove_all(path_); }
  void put(const char* file, const char* text) const { std::ofstream(path_ + "/" + file) << text; }
  // What is written stands at the beginning: control files are not truncated.
  [[nodiscard]] bool begins(const char* file, const std::string& text) const {
    std::stringstream content;
    content << std::ifstream(path_ + "/" + file).rdbuf();
    return content.str().starts_with(text);
  }

  std::string path_;
};

TEST_F(CgroupFiles, EveryLimitOfVersionOneIsLifted) {
  put("freezer.state", "FROZEN");
  put("cpu.cfs_quota_us", "1000");
  put("blkio.throttle.read_bps_device", "7:3 4096\n");
  put("blkio.throttle.write_iops_device", "7:4 1\n");
  EXPECT_TRUE(lift_cgroup_limits(path_));
  EXPECT_TRUE(begins("freezer.state", "THAWED"));
  EXPECT_TRUE(begins("cpu.cfs_quota_us", "-1"));
  EXPECT_TRUE(begins("blkio.throttle.read_bps_device", "7:3 0"));
  EXPECT_TRUE(begins("blkio.throttle.write_iops_device", "7:4 0"));
}

TEST_F(CgroupFiles, EveryLimitOfVersionTwoIsLifted) {
  put("cgroup.freeze", "1");
  put("cpu.max", "1000 1000000");
  put("io.max", "7:3 rbps=4096 wbps=4096 riops=max wiops=max\n");
  EXPECT_TRUE(lift_cgroup_limits(path_));
  EXPECT_TRUE(begins("cgroup.freeze", "0"));
  EXPECT_TRUE(begins("cpu.max", "max"));
  EXPECT_TRUE(begins("io.max", "7:3 rbps=max wbps=max riops=max wiops=max"));
}

TEST_F(CgroupFiles, NothingLimitedIsNothingWritten) {
  put("blkio.throttle.read_bps_device", "");
  EXPECT_TRUE(lift_cgroup_limits(path_));
  EXPECT_TRUE(begins("blkio.throttle.read_bps_device", ""));
  EXPECT_TRUE(lift_cgroup_limits(path_ + "/gone"));
}

TEST_F(CgroupFiles, OneThatIsGoneIsRemovedAlready) {
  EXPECT_TRUE(remove_cgroup(path_ + "/gone", Deadline::in(kSecond)));
  const auto full = remove_cgroup("/proc/self", Deadline::in(20 * kMillisecond));
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().what.find("/proc/self"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
