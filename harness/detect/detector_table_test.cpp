// SPDX-License-Identifier: Apache-2.0
#include "harness/detect/detector_table.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/detect/view_builder.h"

namespace stallproof {
namespace {

TEST(DetectorTable, EveryKindHasTheNameOfADetectorThatCanBeLeftOut) {
  std::uint32_t all = 0;
  for (std::uint32_t kind = 0; kind < kFindingKinds; ++kind) {
    const std::string_view name = finding_name(static_cast<FindingKind>(kind));
    const auto set = detector_named(name);
    ASSERT_TRUE(set) << name;
    EXPECT_NE(findings_of(*set) & 1U << kind, 0U) << name;
    all |= findings_of(*set);
  }
  EXPECT_EQ(all, (1ULL << kFindingKinds) - 1);
}

TEST(DetectorTable, NamesAreUniqueAndSummariesAreThere) {
  std::set<std::string_view> names;
  for (const DetectorInfo& each : kDetectors) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_FALSE(each.summary.empty()) << each.name;
  }
}

TEST(DetectorTable, WhatTheTableMakesIsQuietWhereNothingIsWrong) {
  ViewBuilder build;
  FindingList found;
  for (const auto& detector : make_detectors({})) {
    ASSERT_NE(detector, nullptr);
    for (Nanos now = kSecond; now < 10 * kSecond; now += kSecond / 10)
      detector->check(build.at(now).done(now).view, found);
  }
  EXPECT_TRUE(found.items().empty());
}

}  // namespace
}  // namespace stallproof
