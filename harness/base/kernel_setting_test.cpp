// SPDX-License-Identifier: Apache-2.0
#include "harness/base/kernel_setting.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class KernelSettingTest : public testing::Test {
 protected:
  KernelSettingTest() {
    std::string name = (std::filesystem::temp_directory_path() / "kernel-setting-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
  }
  ~KernelSettingTest() override { std::filesystem::remove_all(place_); }
  [[nodiscard]] std::string file_with(const std::string& content) const {
    std::string path = place_ + "/printk";
    EXPECT_TRUE(write_file_atomically(path, content));
    return path;
  }
  std::string place_;
};

TEST_F(KernelSettingTest, OnlyTheFirstWordCounts) {
  EXPECT_EQ(*setting_now(file_with("7\t4\t1\t7\n")), "7");
  EXPECT_FALSE(setting_now(file_with("\n")));
  EXPECT_FALSE(setting_now(place_ + "/none"));
}

TEST_F(KernelSettingTest, OursIsPutBack) {
  const std::string path = file_with("1\n");
  EXPECT_EQ(*put_back({.path = path, .before = "7", .ours = "1"}), PutBack::was_ours);
  EXPECT_EQ(*setting_now(path), "7");
}

TEST_F(KernelSettingTest, WhatSomebodyElseSetMeanwhileStays) {
  const std::string path = file_with("4\n");
  EXPECT_EQ(*put_back({.path = path, .before = "7", .ours = "1"}), PutBack::not_ours);
  EXPECT_EQ(*setting_now(path), "4");
}

}  // namespace
}  // namespace stallproof
