// SPDX-License-Identifier: Apache-2.0
#include "harness/store/run_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/file.h"

namespace stallproof {
namespace {

class RunDirTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-run-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    ::setenv("STALLPROOF_STATE_DIR", root_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("STALLPROOF_STATE_DIR");
    std::filesystem::remove_all(root_);
  }
  std::string root_;
};

TEST_F(RunDirTest, LatestPointsAtTheNewestRun) {
  const auto first = RunDir::create({.name_stem = "a"});
  const auto second = RunDir::create({.name_stem = "b"});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(std::filesystem::read_symlink(root_ + "/runs/latest"), second->id());
}

TEST_F(RunDirTest, EarlierVerdictIsNeverOverwritten) {
  const std::string out = root_ + "/mine";
  auto run = RunDir::create({.out = out, .name_stem = "a"});
  ASSERT_TRUE(run);
  run->save("verdict.json", "{}");
  const auto again = RunDir::create({.out = out, .name_stem = "a"});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().what.find("-o"), std::string::npos);
  EXPECT_EQ(*read_file(out + "/verdict.json"), "{}");
}

TEST_F(RunDirTest, DirectoryOfARunThatGoesOnIsRefusedInOneLine) {
  const std::string out = root_ + "/mine";
  {
    const auto first = RunDir::create({.out = out, .name_stem = "a"});
    ASSERT_TRUE(first);
    EXPECT_TRUE(run_is_held(out));
    const auto second = RunDir::create({.out = out, .name_stem = "b"});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("another run writes there now"), std::string::npos);
    EXPECT_EQ(second.error().what.find('\n'), std::string::npos);
    EXPECT_EQ(*read_file(out + "/run.id"), first->id() + "\n");
  }
  EXPECT_FALSE(run_is_held(out));
}

TEST_F(RunDirTest, EventsOfARunThatNeverEndedAreNotMixedWithOthers) {
  const std::string out = root_ + "/mine";
  {
    auto killed = RunDir::create({.out = out, .name_stem = "a"});
    ASSERT_TRUE(killed);
    killed->append_event("{}");
  }
  EXPECT_FALSE(RunDir::create({.out = out, .name_stem = "b"}));
  EXPECT_EQ(*read_file(out + "/events.jsonl"), "{}\n");
}

TEST_F(RunDirTest, RunThatFailedBeforeItBeganLeavesItsPlaceToTheNext) {
  const std::string out = root_ + "/mine";
  ASSERT_TRUE(RunDir::create({.out = out, .name_stem = "a"}));
  EXPECT_TRUE(RunDir::create({.out = out, .name_stem = "b"}));
}

TEST_F(RunDirTest, PlaceThatIsNoDirectoryIsRefusedInOneLine) {
  std::ofstream(root_ + "/file") << "x";
  const auto run = RunDir::create({.out = root_ + "/file", .name_stem = "a"});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().what.find('\n'), std::string::npos);
}

TEST_F(RunDirTest, EventsAreAppendedLineByLine) {
  auto run = RunDir::create({.out = root_ + "/e", .name_stem = "a"});
  ASSERT_TRUE(run);
  run->append_event("{\"a\":1}");
  run->append_event("{\"b\":2}");
  EXPECT_EQ(*read_file(run->file("events.jsonl")), "{\"a\":1}\n{\"b\":2}\n");
  EXPECT_EQ(run->first_problem(), "");
}

TEST_F(RunDirTest, FailedSaveIsRemembered) {
  auto run = RunDir::create({.out = root_ + "/s", .name_stem = "a"});
  ASSERT_TRUE(run);
  std::filesystem::remove_all(root_ + "/s");
  std::ofstream(root_ + "/s") << "x";
  run->save("verdict.json", "{}");
  EXPECT_NE(run->first_problem(), "");
}

}  // namespace
}  // namespace stallproof
