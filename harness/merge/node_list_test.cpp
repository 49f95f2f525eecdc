// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/node_list.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

using Names = std::vector<std::string>;

Names names(std::string_view text) {
  auto read = parse_node_list(text, "--expect-nodes");
  EXPECT_TRUE(read) << (read ? "" : read.error().what);
  return read ? *read : Names{};
}

std::string refused(std::string_view text) {
  const auto read = parse_node_list(text, "--expect-nodes");
  EXPECT_FALSE(read) << text;
  return read ? "" : read.error().what;
}

TEST(NodeList, NamesAreKeptInTheirOrder) {
  EXPECT_EQ(names("n2,n1"), (Names{"n2", "n1"}));
  EXPECT_EQ(names("n2 n1\n,x.lab.example\n"), (Names{"n2", "n1", "x.lab.example"}));
}

TEST(NodeList, ABracketIsAsWideAsItsFirstNumber) {
  EXPECT_EQ(names("node[08-10]"), (Names{"node08", "node09", "node10"}));
  EXPECT_EQ(names("node[8-10]"), (Names{"node8", "node9", "node10"}));
  EXPECT_EQ(names("n[1,3-5]x"), (Names{"n1x", "n3x", "n4x", "n5x"}));
  EXPECT_EQ(names("n[007]"), (Names{"n007"}));
}

TEST(NodeList, SeveralBracketsAreAllCombinations) {
  EXPECT_EQ(names("r[1-2]n[1-2],a"), (Names{"r1n1", "r1n2", "r2n1", "r2n2", "a"}));
}

TEST(NodeList, WhatIsNoListIsRefusedWithItsColumn) {
  EXPECT_NE(refused("n[1-2").find("column 2: this [ is not closed"), std::string::npos);
  EXPECT_NE(refused("n[5-3]").find("3 comes before 5"), std::string::npos);
  EXPECT_NE(refused("n[]").find("column 3: a number is wanted"), std::string::npos);
  EXPECT_NE(refused("n[1-]").find("column 5: a number is wanted"), std::string::npos);
  EXPECT_NE(refused("n[1;2]").find("column 4"), std::string::npos);
  EXPECT_NE(refused("n]").find("column 2: a name has no such character"), std::string::npos);
  EXPECT_NE(refused("a/b").find("column 2"), std::string::npos);
  EXPECT_NE(refused(" , ").find("no node is named"), std::string::npos);
  EXPECT_NE(refused("n[0000000001]").find("too long"), std::string::npos);
}

TEST(NodeList, ANodeThatIsNamedTwiceIsASlip) {
  EXPECT_NE(refused("n[1-3],n2").find("n2 is named twice"), std::string::npos);
}

TEST(NodeList, AHugeListIsRefusedBeforeItIsMade) {
  EXPECT_NE(refused("n[0-999999999]").find("more than 65536 nodes"), std::string::npos);
  EXPECT_NE(refused("n[0-999]x[0-999]").find("more than 65536 nodes"), std::string::npos);
  EXPECT_NE(refused(std::string(300, 'n')).find("more than 255"), std::string::npos);
}

TEST(NodeList, HostileBytesComeBackOnOneLine) {
  const std::string told = refused("a\x1b[31m\xff");
  EXPECT_EQ(told.find('\x1b'), std::string::npos);
  EXPECT_EQ(told.find('\n'), std::string::npos);
}

TEST(NodeList, ANameAndTheNameWithItsDomainAreOneNode) {
  EXPECT_TRUE(same_node("n1", "n1.lab.example"));
  EXPECT_TRUE(same_node("n1.lab.example", "n1"));
  EXPECT_FALSE(same_node("n1", "n10"));
  EXPECT_FALSE(same_node("n1.a", "n1.b"));
  EXPECT_FALSE(same_node("", ".lab"));
}

}  // namespace
}  // namespace stallproof
