// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gated_run.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "harness/base/file.h"

namespace stallproof {
namespace {

// A state directory of its own, for as long as it lives.
class GatheredRun : public ::testing::Test {
 protected:
  GatheredRun() {
    std::string pattern = ::testing::TempDir() + "stallproof-gate-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    ::setenv("STALLPROOF_STATE_DIR", top_.c_str(), 1);
  }
  ~GatheredRun() override {
    ::unsetenv("STALLPROOF_STATE_DIR");
    std::error_code ignored;
    std::filesystem::remove_all(top_, ignored);
  }

  [[nodiscard]] std::string put_run(const std::string& folder, const std::string& id) const {
    const std::string path = top_ + "/" + folder;
    EXPECT_TRUE(make_directories(path));
    EXPECT_TRUE(write_file_atomically(path + "/run.id", id + "\n"));
    return path;
  }

  std::string top_;
};

TEST_F(GatheredRun, IsShownByItsNameWhereTheStateDirectoryHasIt) {
  const std::string path = put_run("runs/r1", "r1");
  EXPECT_EQ(gather_run("r1")->shown_by, "r1");
  EXPECT_EQ(gather_run(path)->shown_by, "r1");
}

TEST_F(GatheredRun, IsShownAsItWasGivenWhereItLiesElsewhere) {
  const std::string path = put_run("elsewhere", "r1");
  EXPECT_EQ(gather_run(path + "/")->shown_by, path + "/");
  // Another run of that name.
  EXPECT_FALSE(put_run("runs/r1", "r1").empty());
  EXPECT_EQ(gather_run(path)->shown_by, path);
}

}  // namespace
}  // namespace stallproof
