// SPDX-License-Identifier: Apache-2.0
#include "harness/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace stallproof {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-file-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNoTemporary) {
  const std::string path = directory_ + "/verdict.json";
  ASSERT_TRUE(write_file_atomically(path, "old"));
  ASSERT_TRUE(write_file_atomically(path, "new"));
  EXPECT_EQ(*read_file(path), "new");
  const auto entries = std::filesystem::directory_iterator(directory_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(FileTest, FailedWriteKeepsTheOldContent) {
  const std::string path = directory_ + "/full";
  ASSERT_TRUE(::symlink("/dev/full", path.c_str()) == 0);
  EXPECT_FALSE(write_control_file(path, "x"));
  EXPECT_FALSE(write_file_atomically(directory_ + "/missing/x", "y"));
}

TEST_F(FileTest, ReadOfAMissingFileNamesItAndTheReason) {
  const auto content = read_file(directory_ + "/none");
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().what.find("/none"), std::string::npos);
  EXPECT_NE(content.error().what.find("No such file"), std::string::npos);
}

TEST_F(FileTest, AFileThatCannotBeWrittenIsNamedAsItWasGiven) {
  const std::string path = directory_ + "/missing/x.xml";
  EXPECT_EQ(write_file_atomically(path, "x").error().what,
            "create " + path + ": No such file or directory (make its directory first)");
  ASSERT_TRUE(make_directories(directory_ + "/folder"));
  EXPECT_EQ(write_file_atomically(directory_ + "/folder", "x").error().what,
            "write " + directory_ + "/folder: Is a directory (give another place)");
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/folder"));
}

TEST_F(FileTest, DirectoryUnderAFileIsRefused) {
  ASSERT_TRUE(write_file_atomically(directory_ + "/f", ""));
  EXPECT_FALSE(make_directories(directory_ + "/f/x"));
  EXPECT_FALSE(make_directories(directory_ + "/f"));
  EXPECT_TRUE(make_directories(directory_ + "/a/b/c"));
}

}  // namespace
}  // namespace stallproof
