// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/left_things.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace stallproof {
namespace {

class LeftThings : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "things-XXXXXX").string();
    place_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(place_); }
  std::string place_;
};

TEST_F(LeftThings, AreReadBackInTheirOrderUntilForgotten) {
  EXPECT_TRUE(noted_things(place_).empty());
  ASSERT_TRUE(note_thing(place_, {"null_blk", "fast"}));
  ASSERT_TRUE(note_thing(place_, {"dm", "stallproof-run"}));
  const auto things = noted_things(place_);
  ASSERT_EQ(things.size(), 2U);
  EXPECT_EQ(things[0].kind, "null_blk");
  EXPECT_EQ(things[1].name, "stallproof-run");
  forget_things(place_);
  EXPECT_TRUE(noted_things(place_).empty());
  EXPECT_TRUE(std::filesystem::is_empty(place_));
}

TEST_F(LeftThings, WhatIsNotKnownOrHalfWrittenIsLeftAlone) {
  std::ofstream(place_ + "/things") << "file /etc/passwd\ndm one\nnull_blk";
  const auto things = noted_things(place_);
  ASSERT_EQ(things.size(), 1U);
  EXPECT_EQ(things[0].name, "one");
  EXPECT_TRUE(lift_thing({"file", "/etc/passwd"}));
  EXPECT_TRUE(remove_thing({"file", "/etc/passwd"}));
}

TEST_F(LeftThings, APlaceThatIsGoneIsAnError) {
  EXPECT_FALSE(note_thing(place_ + "/gone", {"dm", "one"}));
}

}  // namespace
}  // namespace stallproof
