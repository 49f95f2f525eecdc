// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/capture_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class CaptureFilesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(root_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  [[nodiscard]] Result<> write() const {
    return write_capture(root_ + "/c", root_ + "/c.tar.gz", {{"incident.json", "{}\n"}}, kSecond,
                         Deadline::in(10 * kSecond));
  }
  std::string root_ = testing::TempDir() + "stallproof-capture-XXXXXX";
};

TEST_F(CaptureFilesTest, TheArchiveLiesBesideTheFiles) {
  const auto written = write();
  ASSERT_TRUE(written) << written.error().what;
  EXPECT_EQ(*read_file(root_ + "/c/incident.json"), "{}\n");
  EXPECT_TRUE(read_tar_gz(*read_file(root_ + "/c.tar.gz")));
}

TEST_F(CaptureFilesTest, ALinkOrPipeInItsPlaceIsNotReplaced) {
  const std::string archive = root_ + "/c.tar.gz";
  ASSERT_EQ(::symlink("elsewhere", archive.c_str()), 0);
  const auto link = write();
  ASSERT_FALSE(link);
  EXPECT_NE(link.error().what.find("c.tar.gz"), std::string::npos) << link.error().what;
  EXPECT_TRUE(std::filesystem::is_symlink(archive));
  std::filesystem::remove(archive);
  ASSERT_EQ(::mkfifo(archive.c_str(), 0600), 0);
  EXPECT_FALSE(write());
  EXPECT_TRUE(std::filesystem::is_fifo(archive));
}

}  // namespace
}  // namespace stallproof
