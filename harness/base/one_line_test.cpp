// SPDX-License-Identifier: Apache-2.0
#include "harness/base/one_line.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(OneLine, ControlCharactersShowAsQuestionMarks) {
  EXPECT_EQ(on_one_line("no\nsuch"), "no?such");
  EXPECT_EQ(on_one_line("a\tb\r\x1b[31mred\x7f"), "a?b??[31mred?");
  EXPECT_EQ(on_one_line(std::string("a\0b", 3)), "a?b");
}

TEST(OneLine, EscapesOfEightBitsAsWell) {
  EXPECT_EQ(on_one_line("a\xc2\x9b[31mb"), "a?[31mb");
  EXPECT_EQ(on_one_line("\xc2\x80\xc2\x9f\xc2"), "??\xc2");
}

TEST(OneLine, OtherTextStays) {
  for (const char* text : {"", "plain 'x' \\", "é ✓ 𝄞 ©\xc2\xa0", "\xff\x9b"})
    EXPECT_EQ(on_one_line(text), text);
}

}  // namespace
}  // namespace stallproof
