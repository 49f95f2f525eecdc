// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/exit_codes.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

int code(Origin origin, std::string_view command) {
  return exit_code_of({.what = "x", .origin = origin}, command);
}

TEST(ExitCodes, OnlyWhatTestsSkipEndsWith77) {
  for (const char* command : {"repro", "record", "doctor"})
    EXPECT_EQ(code(Origin::lacking, command), 77) << command;
  for (const char* command : {"run", "watch", "capture", "explain", "judge", "gate", "merge", ""})
    EXPECT_EQ(code(Origin::lacking, command), 2) << command;
}

TEST(ExitCodes, OtherErrorsAreTheSameForAllCommands) {
  for (const char* command : {"repro", "run", "doctor"}) {
    EXPECT_EQ(code(Origin::user, command), 2);
    EXPECT_EQ(code(Origin::infra, command), 3);
  }
}

TEST(ExitCodes, EachCodeBeginsOneLineOfTheTable) {
  const std::string text = "\n" + std::string(exit_codes_text());
  for (const char* begin :
       {"\n0    pass", "\n1    failing stall, wrong data or regression", "\n2    usage",
        "\n3    verdict unknown", "\n77   repro, record", "\ngate --bisect: 125",
        "\nwatch -- COMMAND: 1 stall, 3 unknown", "\nvdbench: 0 or 157"})
    EXPECT_NE(text.find(begin), std::string::npos) << begin;
}

}  // namespace
}  // namespace stallproof
