// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/terminal_text.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stallproof {
namespace {

TEST(TerminalText, LinesAreCutBelowTheWidth) {
  const TerminalLook look{.width = 10};
  LineWriter line(look);
  const TerminalLine cut = line.add("0123456").cell("abc", 6, true).add("more").take();
  EXPECT_EQ(cut.columns, 9U);
  EXPECT_EQ(cut.text, "0123456  ");
}

TEST(TerminalText, NoNameMovesTheCursor) {
  const TerminalLook look{.width = 40};
  LineWriter line(look);
  EXPECT_EQ(line.add("a\033[2Jb\nc\xc3\xa9").take().text, "a?[2Jb?c??");
}

TEST(TerminalText, ColoursOnlyWhereTheyAreAllowed) {
  TerminalLook look{.width = 40};
  EXPECT_EQ(LineWriter(look).add("x", Tone::bad).take().text, "x");
  look.colour = true;
  const TerminalLine line = LineWriter(look).add("x", Tone::bad).take();
  EXPECT_EQ(line.text, "\033[1;31mx\033[0m");
  EXPECT_EQ(line.columns, 1U);
}

TEST(TerminalText, GlyphsTakeOneColumnEach) {
  const TerminalLook look{.width = 4};
  const TerminalLine line = LineWriter(look).add_glyphs({"▁", "▂", "▃", "▄"}).take();
  EXPECT_EQ(line.columns, 3U);
  EXPECT_EQ(line.text, "▁▂▃");
}

TEST(TerminalText, WhatIsDrawnReplacesWhatWasDrawn) {
  EXPECT_EQ(redraw_text({}, {{"a", 1}}, 80), "\ra\033[K\r\n\033[J");
  EXPECT_EQ(redraw_text({{"a", 1}, {"", 0}}, {{"b", 1}}, 80), "\r\033[2Ab\033[K\r\n\033[J");
  EXPECT_EQ(redraw_text({{"a", 1}}, {}, 80), "\r\033[1A\033[J");
}

TEST(TerminalText, WhatWasDrawnWiderIsWrappedByNow) {
  EXPECT_EQ(redraw_text({{"", 79}, {"", 40}}, {}, 40), "\r\033[3A\033[J");
}

TEST(TerminalText, EnvironmentDecidesColoursAndGlyphs) {
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  ::setenv("LC_ALL", "de_DE.UTF-8", 1);
  EXPECT_TRUE(look_of_terminal(-1).colour);
  EXPECT_TRUE(look_of_terminal(-1).utf8);
  ::setenv("NO_COLOR", "1", 1);
  ::setenv("LC_ALL", "C", 1);
  EXPECT_FALSE(look_of_terminal(-1).colour);
  EXPECT_FALSE(look_of_terminal(-1).utf8);
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(look_of_terminal(-1).colour);
  EXPECT_FALSE(can_redraw());
}

}  // namespace
}  // namespace stallproof
