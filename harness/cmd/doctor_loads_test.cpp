// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/cmd/doctor_checks.h"

namespace stallproof {
namespace {

Ability ability_of(const std::vector<DoctorRow>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&name](const DoctorRow& row) { return row.name == name; });
  EXPECT_NE(found, rows.end()) << name;
  return found == rows.end() ? Ability::not_tested : found->ability;
}

TEST(DoctorLoads, ALoadWorksWhereWhatItNeedsWorks) {
  const auto rows =
      check_loads("/dev/shm", {{"O_DIRECT there", Ability::lacking, "Invalid argument", "", false},
                               {"shared mapping there", Ability::there, "works", "", false}});
  EXPECT_EQ(ability_of(rows, "load direct-io"), Ability::lacking);
  EXPECT_EQ(ability_of(rows, "load mapped-fault"), Ability::there);
  EXPECT_EQ(ability_of(rows, "load mprotect-storm"), Ability::there);
}

TEST(DoctorLoads, WhatWasNotTriedIsNotSaidToBeLacking) {
  EXPECT_EQ(ability_of(check_loads("/dev/shm", {}), "load direct-io"), Ability::not_tested);
}

TEST(DoctorLoads, ADirectoryThatCannotBeWrittenToHasNoRoom) {
  EXPECT_EQ(ability_of(check_loads("/proc", {}), "space there"), Ability::lacking);
}

}  // namespace
}  // namespace stallproof
