// SPDX-License-Identifier: Apache-2.0
// The texts are ours, in the forms of journalctl 252 and dmesg of util-linux 2.38.
#include "harness/explain/log/plain_log.h"

#include <gtest/gtest.h>

#include "harness/explain/log/report_text.h"

namespace stallproof {
namespace {

const char* const kDisk = "I/O error, dev sdz, sector 8";

TEST(PlainLog, AnyOtherTextStaysAsItIs) {
  for (const std::string text :
       {"", "[  243.1] I/O error, dev sdz\n", "{ 0} (detected by 1, t=5252 jiffies)\n", "[{ cut",
        "{\"log\":\"[  243.1] I/O error, dev sdz\\n\"}\n", "RCU stall: MESSAGE=x\n"})
    EXPECT_EQ(plain_log(text), text);
}

TEST(PlainLog, RecordsOfTheJournalStandOnTheirLines) {
  const std::string process = R"({"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"app","MESSAGE":")";
  const std::string kernel =
      R"({"_SOURCE_MONOTONIC_TIMESTAMP":"243100007","_TRANSPORT":"kernel","MESSAGE":")";
  EXPECT_EQ(plain_log(process + kDisk + "\"}\n" + kernel + "a \\\"b\\\"\"}\n"),
            "\n[  243.100007] a \"b\"\n");
  EXPECT_EQ(read_all(plain_log(process + kDisk + "\"}\n" + kernel + kDisk + "\"}\n")),
            Lines{"2 io_error /-1 -  [I/O error on sdz]"});
}

TEST(PlainLog, ProgramsThatQuoteTheKernelAreNotBelieved) {
  for (const std::string who :
       {R"("SYSLOG_IDENTIFIER":"app")", R"("_TRANSPORT":"stdout")", R"("pri":30)"})
    EXPECT_EQ(plain_log("{" + who + R"(,"MESSAGE":"I/O error, dev sdz, sector 8"})"), "") << who;
}

TEST(PlainLog, ARecordThatIsCutLosesNoOther) {
  const std::string whole = R"({"_TRANSPORT":"kernel","MESSAGE":"one"})";
  EXPECT_EQ(plain_log(whole.substr(0, 33) + "\n" + whole + "\n" + whole.substr(0, 20)), "\none\n");
}

TEST(PlainLog, BytesThatAreNoTextAreToldAsNumbers) {
  EXPECT_EQ(plain_log(R"({"_TRANSPORT":"kernel","MESSAGE":[104,105,255]})"), "hi\xff\n");
}

TEST(PlainLog, JsonOfDmesgIsRead) {
  EXPECT_EQ(plain_log("{\n   \"dmesg\": [\n      {\n         \"pri\": 3,\n"
                      "         \"time\":   243.100007,\n         \"caller\": \"T38\",\n"
                      "         \"msg\": \"one\"\n      },{\n         \"pri\": 14,\n"
                      "         \"msg\": \"of a process\"\n      }\n   ]\n}\n"),
            "\n\n[  243.100007][T38] one\n");
}

TEST(PlainLog, FieldsOfExportAndVerboseAreRead) {
  EXPECT_EQ(plain_log("__CURSOR=s=1;i=1\nMESSAGE=one\n_TRANSPORT=kernel\n"
                      "_SOURCE_MONOTONIC_TIMESTAMP=243100007\n\n"
                      "_TRANSPORT=syslog\nMESSAGE=of a process\n"),
            "\n[  243.100007] one\n");
  EXPECT_EQ(plain_log("Mon 2026-11-23 03:12:00.000000 UTC [s=abc;i=1]\n"
                      "    _TRANSPORT=kernel\n    MESSAGE=one\n"
                      "Mon 2026-11-23 03:12:00.000001 UTC [s=abc;i=2]\n"
                      "    _TRANSPORT=kernel\n    MESSAGE=two\n"),
            "\n\none\n\n\ntwo\n");
}

TEST(PlainLog, Utf16IsReadWithItsByteOrderMark) {
  using namespace std::string_literals;
  EXPECT_EQ(as_utf8("\xff\xfeh\0i\0\xac\x20"s), "hi?");
  EXPECT_EQ(as_utf8("\xfe\xff\0h\0i"s), "hi");
  EXPECT_EQ(as_utf8("h\0i"s), "h\0i"s);
}

}  // namespace
}  // namespace stallproof
