// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/label_value.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(LabelValue, OrdinaryNamesStayAsTheyAre) {
  for (const char* name : {"direct-read", "sd1..sd9", "Größe", "日本", "<script>", "a\"b\\c"})
    EXPECT_EQ(label_value(name), name);
}

TEST(LabelValue, ControlCharactersAndBrokenUtf8BecomeQuestionMarks) {
  EXPECT_EQ(label_value("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(label_value("\xff\xfe"), "??");
  EXPECT_EQ(label_value("x\xc3"), "x?");               // cut in the middle
  EXPECT_EQ(label_value("\xc0\xaf"), "??");            // overlong slash
  EXPECT_EQ(label_value("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(label_value("\xf4\x90\x80\x80"), "????");  // beyond Unicode
}

TEST(LabelValue, LongNamesAreCutBetweenCharacters) {
  EXPECT_EQ(label_value(std::string(500, 'x')).size(), 64U);
  EXPECT_EQ(label_value(std::string(63, 'x') + "ö"), std::string(63, 'x'));
}

TEST(LabelValue, NothingHasAName) { EXPECT_EQ(label_value(""), "unnamed"); }

TEST(CommandLabel, ProcessNumberIsNoLabel) {
  EXPECT_EQ(command_label("fio-1234"), "fio");
  EXPECT_EQ(command_label("kworker/0:1-9"), "kworker/0:1");
  EXPECT_EQ(command_label("my-app"), "my-app");
  EXPECT_EQ(command_label("java-"), "java-");
  EXPECT_EQ(command_label("-12"), "unnamed");
}

TEST(BoundedValues, AllBeyondTheLimitAreOther) {
  BoundedValues values(2);
  EXPECT_EQ(values.of("a"), "a");
  EXPECT_EQ(values.of("b"), "b");
  EXPECT_EQ(values.of("c"), "other");
  EXPECT_EQ(values.of("a"), "a");
}

}  // namespace
}  // namespace stallproof
