// SPDX-License-Identifier: Apache-2.0
#include "harness/base/result_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class ResultFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-result-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

TEST_F(ResultFileTest, AFileIsReplacedOrAppendedTo) {
  const std::string path = root_ + "/a";
  ASSERT_TRUE(replace_file(path, "one"));
  ASSERT_TRUE(append_to_file(path, "two\n"));
  EXPECT_EQ(*read_file(path), "one\ntwo\n");
  ASSERT_TRUE(replace_file(path, "three\n"));
  EXPECT_EQ(*read_file(path), "three\n");
}

TEST_F(ResultFileTest, ALinkStaysALink) {
  ASSERT_TRUE(replace_file(root_ + "/real", "old"));
  ASSERT_EQ(::symlink("real", (root_ + "/link").c_str()), 0);
  ASSERT_TRUE(replace_file(root_ + "/link", "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/link"));
  EXPECT_EQ(*read_file(root_ + "/real"), "new");
}

TEST_F(ResultFileTest, ALinkToNothingStaysALinkAndItsFileIsMade) {
  ASSERT_TRUE(make_directories(root_ + "/a/b"));
  ASSERT_EQ(::symlink("b/new", (root_ + "/a/link").c_str()), 0);
  ASSERT_EQ(::symlink("a/link", (root_ + "/link").c_str()), 0);
  EXPECT_EQ(*file_behind_links(root_ + "/link"), root_ + "/a/b/new");
  ASSERT_TRUE(replace_file(root_ + "/link", "x"));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/link"));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/a/link"));
  EXPECT_EQ(*read_file(root_ + "/a/b/new"), "x");
}

TEST_F(ResultFileTest, LinksInACircleAreRefused) {
  ASSERT_EQ(::symlink("b", (root_ + "/a").c_str()), 0);
  ASSERT_EQ(::symlink("a", (root_ + "/b").c_str()), 0);
  EXPECT_FALSE(check_result_file(root_ + "/a"));
  EXPECT_FALSE(replace_file(root_ + "/a", "x"));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/a"));
}

TEST_F(ResultFileTest, APipeIsWrittenToAndStaysOne) {
  const std::string pipe = root_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // More than a pipe holds, to a reader that comes later.
  const std::string content(300'000, 'x');
  Result<std::string> read = fail("not read");
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    read = read_file(pipe);
  });
  const auto written = replace_file(pipe, content);
  reader.join();
  ASSERT_TRUE(written) << written.error().what;
  EXPECT_EQ(*read, content);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_TRUE(check_result_file(pipe));
  EXPECT_FALSE(check_replaced_file(pipe));
  EXPECT_FALSE(check_replaced_file("/dev/null"));
}

TEST_F(ResultFileTest, ABlockDeviceIsRefused) {
  const std::string disk = root_ + "/disk";
  if (::mknod(disk.c_str(), S_IFBLK | 0600, 0) != 0) GTEST_SKIP() << "not root";
  const auto written = replace_file(disk, "x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().what.find("a block device"), std::string::npos);
  EXPECT_FALSE(check_result_file(disk));
  EXPECT_TRUE(std::filesystem::is_block_file(disk));
}

TEST_F(ResultFileTest, WhatIsNoFileIsNeverReplaced) {
  ASSERT_EQ(::symlink("/dev/null", (root_ + "/null").c_str()), 0);
  ASSERT_TRUE(replace_file(root_ + "/null", "x"));
  ASSERT_TRUE(append_to_file(root_ + "/null", "x"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/null"));
  const auto folder = replace_file(root_, "x");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().what.find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
