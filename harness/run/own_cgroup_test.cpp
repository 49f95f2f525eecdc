// SPDX-License-Identifier: Apache-2.0
#include "harness/run/own_cgroup.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

constexpr std::string_view kText =
    "9:name=systemd:/lab\n7:freezer:/lab/a:b\n1:cpu,cpuacct:/\n0::/user.slice/x.scope\nnonsense\n";

TEST(OwnCgroup, LinesOfBothVersionsAreRead) {
  const auto lines = parse_cgroups(kText);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].controllers, "name=systemd");
  EXPECT_EQ(lines[1].path, "/lab/a:b");
  EXPECT_EQ(lines[3].controllers, "");
  EXPECT_EQ(lines[3].path, "/user.slice/x.scope");
  EXPECT_TRUE(parse_cgroups("").empty());
}

TEST(OwnCgroup, SameOneOrOneBelowIsShared) {
  const auto ours = parse_cgroups("7:freezer:/lab/inner\n1:cpu:/other\n0::/x\n");
  const auto target = parse_cgroups("7:freezer:/lab\n1:cpu:/oth\n0::/x\n");
  const auto shared = shared_cgroups(ours, target);
  ASSERT_EQ(shared.size(), 2U);
  EXPECT_EQ(shared[0].controllers, "freezer");
  EXPECT_EQ(shared[1].path, "/x");
}

TEST(OwnCgroup, RootAndParentAreNotShared) {
  EXPECT_TRUE(shared_cgroups(parse_cgroups("0::/\n"), parse_cgroups("0::/\n")).empty());
  EXPECT_TRUE(shared_cgroups(parse_cgroups("0::/a\n"), parse_cgroups("0::/a/b\n")).empty());
}

}  // namespace
}  // namespace stallproof
