// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/target_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::uint64_t kGibibyte = 1ULL << 30U;

TargetLook target_with(std::uint64_t free_bytes) {
  return {.path = "/mnt/a \"b\"",
          .device_major = 0,
          .device_minor = 0,
          .free_bytes = free_bytes,
          .fstype = "ext4",
          .source = "/dev/x"};
}

TargetPlanWish wish_of(std::optional<std::uint64_t> size) {
  return {.name = "mine", .duration = 5 * kSecond, .size = size};
}

TEST(TargetPlan, ItsLoadsShareOneProcessAndStayWithinTheSize) {
  const auto plan = plan_for_target(target_with(100 * kGibibyte), wish_of(std::nullopt));
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->processes.size(), 1U);
  EXPECT_GE(plan->processes[0].loads.size(), 3U);
  EXPECT_EQ(plan->target, "/mnt/a \"b\"");
  EXPECT_EQ(plan->duration, 5 * kSecond);
  EXPECT_GT(planned_file_bytes(*plan), kGibibyte / 2);
  EXPECT_LE(planned_file_bytes(*plan), kGibibyte);
}

TEST(TargetPlan, WithoutASizeItTakesLessWhereSpaceIsShort) {
  const auto plan = plan_for_target(target_with(kGibibyte), wish_of(std::nullopt));
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_LE(planned_file_bytes(*plan), kGibibyte / 10);
}

TEST(TargetPlan, MoreThanATenthOfTheFreeSpaceIsRefused) {
  EXPECT_TRUE(plan_for_target(target_with(10 * kGibibyte + 4096), wish_of(kGibibyte)));
  const auto plan = plan_for_target(target_with(9 * kGibibyte), wish_of(kGibibyte));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().origin, Origin::user);
  EXPECT_NE(plan.error().what.find("10 %"), std::string::npos) << plan.error().what;
  EXPECT_FALSE(plan_for_target(target_with(kGibibyte), wish_of(1024)));
  EXPECT_FALSE(plan_for_target(target_with(1024), wish_of(std::nullopt)));
}

TEST(TargetPlan, TheCommentedPlanIsShort) {
  const auto text = target_plan_text(target_with(100 * kGibibyte), wish_of(std::nullopt));
  ASSERT_TRUE(text);
  EXPECT_LE(std::count(text->begin(), text->end(), '\n'), 40) << *text;
  EXPECT_GE(std::count(text->begin(), text->end(), '#'), 8) << *text;
}

TEST(TargetLook, WhatCannotBeATargetIsRefusedInOneLine) {
  for (const char* path : {"/nonexistent", "/dev/null", ""}) {
    const auto target = look_at_target(path);
    ASSERT_FALSE(target) << path;
    EXPECT_EQ(target.error().origin, Origin::user);
    EXPECT_NE(target.error().what.find("existing directory"), std::string::npos)
        << target.error().what;
  }
}

TEST(TargetLook, ADirectoryIsSeenAsItIs) {
  std::string directory = ::testing::TempDir() + "stallproof-look-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const auto target = look_at_target(directory + "/.");
  ::rmdir(directory.c_str());
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->path, directory);
  EXPECT_GT(target->free_bytes, 0U);
}

}  // namespace
}  // namespace stallproof
