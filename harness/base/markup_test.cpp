// SPDX-License-Identifier: Apache-2.0
#include "harness/base/markup.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(Markup, TagsQuotesAndReferencesAreText) {
  EXPECT_EQ(escaped_markup("<script>alert('x' & \"y\")</script>"),
            "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;");
  EXPECT_EQ(escaped_markup("]]>"), "]]&gt;");
}

TEST(Markup, WhatIsNoUtf8BecomesAReplacement) {
  EXPECT_EQ(valid_utf8("a\xff\xc3("), "a��(");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "��");       // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "���");  // a surrogate
  EXPECT_EQ(valid_utf8("é ✓ 𝄞"), "é ✓ 𝄞");
  EXPECT_EQ(valid_utf8("\xf0\x9d\x84"), "���");  // cut
}

TEST(Markup, ControlsAndTurnedWritingAreReplaced) {
  EXPECT_EQ(valid_utf8(std::string_view("a\0b\x1b[2J", 6)), "a�b�[2");
  EXPECT_EQ(valid_utf8("one\ttwo\n"), "one\ttwo\n");
  EXPECT_EQ(valid_utf8("\xe2\x80\xae"), "���");  // each byte of it
}

TEST(Markup, MarkdownKeepsItsLineAndItsTable) {
  EXPECT_EQ(escaped_markdown("a|b\n# c <b>"), "a\\|b \\# c &lt;b&gt;");
  EXPECT_EQ(escaped_markdown("mmap_lock (pid 7): _x_ 'y'"), "mmap_lock (pid 7): \\_x\\_ 'y'");
  EXPECT_EQ(escaped_markdown("[a](b:c) **d**"), "\\[a\\](b:c) \\*\\*d\\*\\*");
  EXPECT_EQ(markdown_code("a`b"), "`` a`b ``");
  EXPECT_EQ(markdown_code("x|y"), "`x¦y`");
}

TEST(Markup, NothingInABlockOfCodeEndsIt) {
  EXPECT_EQ(markdown_block("a|b\n"), "```\na|b\n```\n");
  EXPECT_EQ(markdown_block("x\n````\n<b>"), "`````\nx\n````\n<b>\n`````\n");
  EXPECT_EQ(markdown_block(""), "```\n\n```\n");
}

TEST(Markup, ShorteningCutsNoCharacter) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdef", 4), "abc…");
  EXPECT_EQ(shortened("éééé", 3), "éé…");
}

TEST(Markup, ShellWordsAreQuotedOnlyWhereNeeded) {
  EXPECT_EQ(shell_word("/mnt/data-1/x.toml"), "/mnt/data-1/x.toml");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's; rm"), "'it'\\''s; rm'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace stallproof
