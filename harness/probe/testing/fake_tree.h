// SPDX-License-Identifier: Apache-2.0
// For tests: a directory tree that stands for /proc or /sys and goes away with the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/file.h"

namespace stallproof {

class FakeTree {
 public:
  FakeTree() : root_(::mkdtemp(name_.data())) {}
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  ~FakeTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  [[nodiscard]] const std::string& root() const { return root_; }
  void put(const std::string& path, std::string_view content) const {
    const std::string full = root_ + "/" + path;
    EXPECT_TRUE(make_directories(full.substr(0, full.rfind('/'))));
    EXPECT_TRUE(write_file_atomically(full, content));
  }

 private:
  std::string name_ = "/tmp/fake_tree.XXXXXX";
  std::string root_;
};

}  // namespace stallproof
