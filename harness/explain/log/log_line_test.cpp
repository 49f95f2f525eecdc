// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/log_line.h"

#include <gtest/gtest.h>

#include <vector>

namespace stallproof {
namespace {

std::string text_of(std::string_view raw) {
  std::string room;
  return std::string(clean_line(raw, room).text);
}

LogLine cleaned(std::string_view raw) {
  std::string room;
  LogLine line = clean_line(raw, room);
  line.text = {};
  return line;
}

TEST(LogLine, PrefixesOfEveryLoggerAreLeftOut) {
  for (const char* line : {"task:x",
                           "[  123.456789] task:x",
                           "<6>[  123.456789][  T38] task:x",
                           "[Fri Jun 27 15:21:34 2025] task:x",
                           "Jun 27 15:21:34 node7 kernel: task:x",
                           "Jun 27 15:21:34 node7 kernel: [ 12.3] task:x",
                           "> > [    1.000000] task:x",
                           ">[    1.000000] task:x",
                           "6,1234,5678901,-,caller=T38;task:x",
                           "2025-06-27T15:21:34.123456+00:00 node7 kernel: [ 12.3][ C0] task:x",
                           "2025-06-27T15:21:34,123456+00:00 task:x",
                           "2025-06-27 15:21:34 task:x",
                           "Fri Jun 27 15:21:34 2025 kern.err kernel: [ 12.3] task:x",
                           "kern  :err   : [Fri Jun 27 15:21:34 2025] task:x",
                           "kernel: task:x",
                           "kernel:[ 2824.4] task:x",
                           "[ 12.3] node7 kernel: task:x",
                           "[Jun27 15:21] task:x",
                           "[  +0.000012] task:x",
                           "[<    0.000012>] task:x",
                           "15:21:34.123 task:x",
                           "Jun 27 15:21:34 node7 [ 12.345678] task:x",
                           "Jun 27 2025 15:21:34 node7 kernel: task:x",
                           "\x1b[32m[   12.345678] \x1b[0m\x1b[33mtask:x\x1b[0m",
                           "[ 12.3] (2)[30:khungtaskd]task:x",
                           "Jun 27 15:21:34 node7 kernel: [123.4][ T38] <6>task:x\r",
                           "[c0000003f1b7b9a0] [c0000003f1b7ba30] task:x",
                           "Jun 27 15:21:34 node7 kernel[0]: task:x",
                           "[wo jul 28 05:19:43 2021] task:x",
                           "2025 Jul  2 06:56:57.749624 node7 ERR kernel: [  993.616601] task:x",
                           "Fri 2025-06-27 15:21:34 CEST node7 kernel: task:x",
                           "<4>1 2025-06-27T15:21:34.123456Z node7 kernel - - - task:x",
                           "06-27 15:21:34.123 [  993.616601] task:x",
                           "27.06.2025 15:21:34 node7 kernel: task:x",
                           "May 25 07:29:42 x 0,16627,40311380557,-,caller=C0;task:x",
                           "22734.139015] task:x",
                           "6.12.0-rc1,6,444,501151268,-;task:x",
                           "```[  123.456789] task:x",
                           "7366   \xe2\x94\x82 4,5005,12915307506,-;task:x",
                           "[  240.118103] -(2)[30:khungtaskd]task:x",
                           "<3>[  240.118103] I[2:     khungtaskd:   51] task:x",
                           "[19318.476204 / 11-29 21:16:45.872] task:x"})
    EXPECT_EQ(text_of(line), "task:x") << line;
}

TEST(LogLine, WhatLooksLikeAPrefixStays) {
  for (const char* line :
       {"[<ffffffff81609729>] schedule+0x29/0x70", "[ INFO: inconsistent lock state ]",
        "[sda] tag#0 FAILED Result", "fn+0x1/0x2 [9p]", "<TASK>", "2:0:0:0: rejecting I/O",
        "Mayor 3 15:21:34", "[]", "[", "<"})
    EXPECT_EQ(text_of(line), line);
  EXPECT_EQ(text_of("Jun 27 15:21:34 node7 app[77]: kernel: task:x"),
            "node7 app[77]: kernel: task:x");
}

TEST(LogLine, CallersAreKept) {
  const auto thread = cleaned("[  123.456789][  T38] x").caller;
  EXPECT_NE(thread, 0U);
  EXPECT_EQ(cleaned("6,1,2,-,caller=T38;x").caller, thread);
  EXPECT_NE(cleaned("6,1,2,-,caller=C38;x").caller, thread);
  EXPECT_EQ(cleaned("[  123.456789] x").caller, 0U);
}

TEST(LogLine, ProcessesThatWriteToTheLogAreTold) {
  for (const char* line : {"14,1,2,-;x", "<14>x", "<13>Jun 27 15:21:34 n kernel: x",
                           "user  :err   : [ 1.2] x", "daemon:info  : x"})
    EXPECT_TRUE(cleaned(line).by_process) << line;
  for (const char* line : {"6,1,2,-;x", "<6>x", "kern  :err   : x", "[ 1.2] x"})
    EXPECT_FALSE(cleaned(line).by_process) << line;
}

TEST(LogLine, EscapesOfRecordsAreTurnedBack) {
  EXPECT_EQ(text_of("6,1,2,-;a\\x0ab\\x5cc"), "a\nb\\c");
}

TEST(LogLine, RsyslogsNewlinesAreNewlines) {
  std::vector<std::string> seen;
  each_log_line("first\nJun 27 15:21:34 n kernel: a#012 b#012<6>c\nlast",
                [&seen](const LogLine& line) {
                  seen.push_back(std::to_string(line.number) + " " + std::string(line.text));
                });
  EXPECT_EQ(seen, (std::vector<std::string>{"1 first", "2 a", "2 b", "2 c", "3 last"}));
}

}  // namespace
}  // namespace stallproof
