// SPDX-License-Identifier: Apache-2.0
#include "harness/store/mark.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/base/file.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

class MarkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "stallproof-mark-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    place_ = root_ + "/run";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_, place_;
};

Mark failover(Nanos at = 7 * kSecond) {
  return {.at_ns = at,
          .realtime_ns = 9,
          .lasts_ns = 60 * kSecond,
          .allow_ns = 20 * kSecond,
          .text = "failover, \"b\" to a"};
}

TEST_F(MarkTest, RunningRunReadsWhatAnotherProcessWrote) {
  const auto run = RunDir::create({.out = place_, .name_stem = "a"});
  ASSERT_TRUE(run);
  auto reader = MarkReader::create(place_);
  ASSERT_TRUE(reader);
  EXPECT_TRUE(reader->take().empty());
  const auto appended = append_mark(place_, failover());
  ASSERT_TRUE(appended) << appended.error().what;
  const auto marks = reader->take();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].text, failover().text);
  EXPECT_EQ(marks[0].at_ns, 7 * kSecond);
  EXPECT_EQ(marks[0].allow_ns, 20 * kSecond);
  EXPECT_TRUE(reader->take().empty());
}

TEST_F(MarkTest, EndedRunIsRefusedInOneLine) {
  {
    const auto run = RunDir::create({.out = place_, .name_stem = "a"});
    ASSERT_TRUE(run);
    ASSERT_TRUE(MarkReader::create(place_));
  }
  const auto late = append_mark(place_, failover());
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().what.find("the run has ended, or runs on another node (name a run"),
            std::string::npos);
  EXPECT_EQ(late.error().what.find('\n'), std::string::npos);
}

TEST_F(MarkTest, WhatIsNoRunIsToldAsSuch) {
  ASSERT_TRUE(make_directories(place_ + "/notes"));
  const auto none = append_mark(place_ + "/notes", failover());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().what.find("notes: not a run directory (name a run"), std::string::npos);
}

TEST_F(MarkTest, RunThatTakesNoMarksIsRefused) {
  const auto run = RunDir::create({.out = place_, .name_stem = "a"});
  ASSERT_TRUE(run);
  const auto refused = append_mark(place_, failover());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("takes no marks"), std::string::npos);
}

TEST_F(MarkTest, HalfALineWaitsForItsRestAndRubbishIsCounted) {
  const auto run = RunDir::create({.out = place_, .name_stem = "a"});
  ASSERT_TRUE(run);
  auto reader = MarkReader::create(place_);
  ASSERT_TRUE(reader);
  std::ofstream file(place_ + "/marks.jsonl", std::ios::app);
  file << "no mark\n{\"at_ns\":-1}\n{\"at_ns\":1,\"realtime_ns\":1," << std::flush;
  EXPECT_TRUE(reader->take().empty());
  EXPECT_EQ(reader->unreadable(), 2U);
  file << "\"for_ns\":5,\"text\":\"x\"}\n" << std::flush;
  const auto marks = reader->take();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_FALSE(marks[0].allow_ns);
}

TEST(Marked, WindowBeginsAtTheMarkAndTheLongestAllowanceCounts) {
  Mark note = failover(8 * kSecond);
  note.allow_ns.reset();
  Mark longer = failover(30 * kSecond);
  longer.allow_ns = 40 * kSecond;
  const std::vector<Mark> marks{failover(), note, longer};
  EXPECT_FALSE(marked_at(marks, 7 * kSecond - 1).any);
  EXPECT_EQ(marked_at(marks, 7 * kSecond).allow_ns, 20 * kSecond);
  EXPECT_EQ(marked_at(marks, 31 * kSecond).allow_ns, 40 * kSecond);
  EXPECT_TRUE(marked_at(marks, 90 * kSecond).any);
  EXPECT_FALSE(marked_at(marks, 91 * kSecond).any);
  EXPECT_FALSE(marked_at({note}, 9 * kSecond).allow_ns);
  EXPECT_TRUE(marked_at({note}, 9 * kSecond).any);
}

}  // namespace
}  // namespace stallproof
