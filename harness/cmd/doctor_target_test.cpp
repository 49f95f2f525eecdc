// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/cmd/doctor_checks.h"

namespace stallproof {
namespace {

const DoctorRow* row_named(const std::vector<DoctorRow>& rows, const std::string& name) {
  for (const DoctorRow& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

TEST(DoctorTarget, DirectoryThatIsNotThereIsTheUsersError) {
  for (const char* path : {"/nonexist", "/dev/null"}) {
    const auto rows = check_target(path);
    ASSERT_FALSE(rows) << path;
    EXPECT_EQ(rows.error().origin, Origin::user);
    EXPECT_NE(rows.error().what.find(path), std::string::npos);
  }
}

TEST(DoctorTarget, WritableDirectoryIsTriedAndLeftAsItWas) {
  std::string directory = ::testing::TempDir() + "stallproof-target-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const auto rows = check_target(directory + "/./");
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  ::rmdir(directory.c_str());
  ASSERT_NE(row_named(*rows, "target"), nullptr);
  EXPECT_NE(row_named(*rows, "target")->finding.find(directory + " ("), std::string::npos);
  EXPECT_NE(row_named(*rows, "module there"), nullptr);
  ASSERT_NE(row_named(*rows, "shared mapping there"), nullptr);
  EXPECT_EQ(row_named(*rows, "shared mapping there")->ability, Ability::there);
}

TEST(DoctorTarget, WhereNoFileCanBeMadeNothingIsSaidToBeLacking) {
  const auto rows = check_target("/proc");
  ASSERT_TRUE(rows) << rows.error().what;
  ASSERT_NE(row_named(*rows, "O_DIRECT there"), nullptr);
  EXPECT_EQ(row_named(*rows, "O_DIRECT there")->ability, Ability::not_tested);
  EXPECT_EQ(row_named(*rows, "target")->ability, Ability::there);
}

TEST(DoctorTarget, MountTableIsReadInTime) {
  const auto mounts = read_mounts_bounded();
  ASSERT_TRUE(mounts) << mounts.error().what;
  EXPECT_NE(mount_of(*mounts, "/proc"), nullptr);
}

}  // namespace
}  // namespace stallproof
