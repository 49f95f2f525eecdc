// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/pressure.h"

#include <gtest/gtest.h>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

FindingList look(Pressure& detector, ViewBuilder& build, Nanos now, std::uint64_t io_us,
                 std::uint64_t memory_us) {
  build.at(now).view.system.at_ns = now;
  build.view.system.pressure[kPressureIo].full_us = io_us;
  build.view.system.pressure[kPressureMemory].full_us = memory_us;
  FindingList found;
  detector.check(build.view, found);
  return found;
}

TEST(Pressure, GrowthOverTheLastSecondIsJudgedNotTheTotal) {
  Pressure detector;
  ViewBuilder build;
  EXPECT_TRUE(look(detector, build, 1 * kSecond, 9'000'000, 0).items().empty());
  EXPECT_TRUE(look(detector, build, 2 * kSecond, 9'000'000, 0).items().empty());
  const FindingList found = look(detector, build, 3 * kSecond, 9'600'000, 0);
  ASSERT_EQ(count_of(found, FindingKind::pressure), 1U);
  EXPECT_EQ(found.items()[0].count, 60U);
  EXPECT_EQ(found.items()[0].since_ns, 2 * kSecond);
  EXPECT_NE(std::string(found.items()[0].subject.data()).find("I/O"), std::string::npos);
}

TEST(Pressure, MemoryIsNamedWhereItIsTheGreater) {
  Pressure detector;
  ViewBuilder build;
  look(detector, build, 1 * kSecond, 0, 0);
  const FindingList found = look(detector, build, 2 * kSecond, 200'000, 900'000);
  ASSERT_EQ(count_of(found, FindingKind::pressure), 1U);
  EXPECT_NE(std::string(found.items()[0].subject.data()).find("memory"), std::string::npos);
}

TEST(Pressure, LittlePressureIsQuietAndOpensNothing) {
  Pressure detector;
  ViewBuilder build;
  for (std::uint64_t i = 1; i < 10; ++i)
    EXPECT_TRUE(look(detector, build, i * kSecond, i * 50'000, i * 50'000).items().empty());
  EXPECT_TRUE(only_supports(FindingKind::pressure));
}

}  // namespace
}  // namespace stallproof
