// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/notify_words.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

using Words = std::vector<std::string>;

Words split(const std::string& text) {
  const auto words = split_command(text);
  return words ? *words : Words{"refused: " + words.error().what};
}

TEST(NotifyWords, AreSplitAtBlanks) {
  EXPECT_EQ(split(""), Words{});
  EXPECT_EQ(split("  \t"), Words{});
  EXPECT_EQ(split(" mail  root\t-v "), (Words{"mail", "root", "-v"}));
}

TEST(NotifyWords, QuotesKeepBlanks) {
  EXPECT_EQ(split("mail -s 'a  \"b\" $x \\'"), (Words{"mail", "-s", "a  \"b\" $x \\"}));
  EXPECT_EQ(split(R"(a "b \"c\" \\ \n" '')"), (Words{"a", R"(b "c" \ \n)", ""}));
  EXPECT_EQ(split(R"(a\ b c"d e"f)"), (Words{"a b", "cd ef"}));
  EXPECT_EQ(split("sh -c 'cat | logger'"), (Words{"sh", "-c", "cat | logger"}));
}

TEST(NotifyWords, WhatIsNotClosedIsRefused) {
  for (const char* text : {"a 'b", "a \"b", "a \"b\\", "a\\"})
    EXPECT_EQ(split(text).front().find("refused: --notify: "), 0U) << text;
}

TEST(NotifyWords, TheProgramIsFoundBeforeAnythingRuns) {
  const auto found = notify_command({.command = "sh -c true"});
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->front().front(), '/');
  EXPECT_EQ(found->size(), 3U);
  for (const char* text : {"no-such-program-here x", "/nonexistent", "/etc/passwd", "/etc", "''"}) {
    const auto refused = notify_command({.command = text});
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().origin, Origin::user);
    EXPECT_EQ(refused.error().what.find("--notify: "), 0U) << refused.error().what;
  }
}

TEST(NotifyWords, TheCommandLineCountsMoreThanThePlan) {
  const Words plan{"/bin/sh", "-c", "true"};
  EXPECT_EQ(notify_command({}, plan)->size(), 3U);
  EXPECT_EQ(notify_command({.command = "sh"}, plan)->size(), 1U);
  EXPECT_TRUE(notify_command({.command = ""}, plan)->empty());
  EXPECT_TRUE(notify_command({})->empty());
}

}  // namespace
}  // namespace stallproof
