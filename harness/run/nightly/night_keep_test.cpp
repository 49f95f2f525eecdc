// SPDX-License-Identifier: Apache-2.0
#include "harness/run/nightly/night_keep.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/store/night_runs.h"
#include "harness/store/verdict.h"

namespace stallproof {
namespace {

namespace fs = std::filesystem;

class NightKeep : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-keep-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern).string();
    ::setenv("STALLPROOF_STATE_DIR", root_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("STALLPROOF_STATE_DIR");
    fs::remove_all(root_);
  }

  static void age(const std::string& path, int days) {
    const auto now = static_cast<time_t>(realtime_now() / kSecond);
    const timespec times[2] = {{now - days * 86400, 0}, {now - days * 86400, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  std::string put_run(const std::string& name, const std::string& night, int days) const {
    const std::string directory = root_ + "/runs/" + name;
    Verdict verdict;
    verdict.run = name;
    verdict.started = "2026-06-03T10:00:00.000+00:00";
    verdict.labels[kNightLabel] = night;
    EXPECT_TRUE(make_directories(directory + "/incidents"));
    EXPECT_TRUE(write_file_atomically(directory + "/run.id", name + "\n"));
    EXPECT_TRUE(write_file_atomically(directory + "/verdict.json", verdict_json(verdict)));
    age(directory + "/verdict.json", days);
    return directory;
  }
  std::string put_night(const std::string& id, int days) const {
    const std::string folder = root_ + "/nights/" + id;
    EXPECT_TRUE(make_directories(folder));
    EXPECT_TRUE(write_file_atomically(folder + "/night.json", "{}"));
    age(folder, days);
    return folder;
  }
  [[nodiscard]] NightKept keep(const NightPlan& night) const {
    return keep_nights(night, root_, "20261126-210000", [] {});
  }

  std::string root_;
};

TEST_F(NightKeep, OldRunsGoAndTheirNightsWithThem) {
  const auto old_run = put_run("20261001-210000.001-a-1", "20261001-210000", 40);
  const auto new_run = put_run("20261120-210000.001-a-1", "20261120-210000", 2);
  const auto old_night = put_night("20261001-210000", 40);
  const auto new_night = put_night("20261120-210000", 2);
  NightPlan night;
  night.keep_days = 30;
  const NightKept kept = keep(night);
  EXPECT_EQ(kept.removed, std::vector<std::string>{old_run});
  EXPECT_TRUE(fs::exists(new_run + "/verdict.json"));
  EXPECT_TRUE(fs::exists(new_night));
  // Its run was there when the night asked; the next one finds none.
  EXPECT_TRUE(keep(night).removed.empty());
  EXPECT_FALSE(fs::exists(old_night));
}

TEST_F(NightKeep, WhatANightDidNotWriteStays) {
  const auto folder = put_night("20261001-210000", 40);
  EXPECT_TRUE(write_file_atomically(folder + "/notes.txt", "mine"));
  age(folder, 40);
  EXPECT_TRUE(make_directories(root_ + "/nights/mine"));
  NightPlan night;
  night.keep_days = 1;
  EXPECT_TRUE(keep(night).removed.empty());
  EXPECT_TRUE(fs::exists(folder + "/notes.txt"));
  EXPECT_TRUE(fs::exists(root_ + "/nights/mine"));
}

TEST_F(NightKeep, TheNightThatAsksKeepsItsRuns) {
  const auto mine = put_run("20261126-210000.001-a-1", "20261126-210000", 0);
  const auto other = put_run("20261125-210000.001-a-1", "20261125-210000", 1);
  NightPlan night;
  night.keep_gb = 1e-9;
  const NightKept kept = keep(night);
  EXPECT_EQ(kept.removed, std::vector<std::string>{other});
  EXPECT_TRUE(fs::exists(mine));
  EXPECT_EQ(kept.problems.size(), 1U);
}

TEST_F(NightKeep, WithoutLimitsNothingIsRemoved) {
  const auto run = put_run("20200101-210000.001-a-1", "20200101-210000", 2000);
  EXPECT_TRUE(keep({}).removed.empty());
  EXPECT_TRUE(fs::exists(run));
}

TEST(NightId, SortsAndIsToldFromOtherNames) {
  EXPECT_TRUE(is_night_id(new_night_id()));
  EXPECT_FALSE(is_night_id("latest"));
  EXPECT_FALSE(is_night_id("20261126.210000"));
}

}  // namespace
}  // namespace stallproof
