// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/fuse_connections.h"

#include <gtest/gtest.h>

#include "harness/probe/testing/fake_tree.h"

namespace stallproof {
namespace {

TEST(FuseConnections, AreListedByNumberWithTheirLoad) {
  const FakeTree tree;
  tree.put("52/waiting", "3\n");
  tree.put("52/abort", "");
  tree.put("7/waiting", "0\n");
  tree.put("README", "not a connection");
  tree.put("9/max_background", "12\n");
  const auto loads = list_fuse_connections(tree.root());
  ASSERT_TRUE(loads) << loads.error().what;
  ASSERT_EQ(loads->size(), 2U);
  EXPECT_EQ((*loads)[0].number, 7U);
  EXPECT_EQ((*loads)[1].number, 52U);
  EXPECT_EQ((*loads)[1].waiting, 3U);
}

TEST(FuseConnections, MissingFusectlIsAnErrorThatSaysHowToMountIt) {
  const auto loads = list_fuse_connections("/nonexistent/connections");
  ASSERT_FALSE(loads);
  EXPECT_NE(loads.error().what.find("mount -t fusectl"), std::string::npos);
}

TEST(FuseConnections, AbortWritesToThatConnectionOnly) {
  const FakeTree tree;
  tree.put("52/abort", "");
  tree.put("53/abort", "");
  ASSERT_TRUE(abort_fuse_connection(tree.root(), 52));
  EXPECT_EQ(*read_file(tree.root() + "/52/abort"), "1");
  EXPECT_EQ(*read_file(tree.root() + "/53/abort"), "");
  EXPECT_FALSE(abort_fuse_connection(tree.root(), 54));
}

TEST(FuseConnections, FusectlIsFoundByItsType) {
  const auto mounts = parse_mountinfo("30 22 0:25 / /my/own rw - fusectl none rw\n");
  ASSERT_TRUE(mounts);
  EXPECT_EQ(find_fusectl(*mounts), "/my/own");
  EXPECT_EQ(find_fusectl({}), std::nullopt);
}

}  // namespace
}  // namespace stallproof
