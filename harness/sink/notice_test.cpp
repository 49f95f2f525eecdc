// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::json;

NoticeFrame frame() {
  NoticeFrame frame;
  frame.run = {.run = "r1",
               .dir = "/runs/r1",
               .command = "repro",
               .target = "x",
               .node = "n1",
               .labels = {{"build", "7"}}};
  frame.started_realtime_ns = 1'700'000'000 * kSecond;
  return frame;
}

StallNews stall() {
  return {.id = "001",
          .stall_class = "mmap_lock_cycle",
          .signature = "mmap_lock_cycle:a>b",
          .summary = "line one\nand \"quotes\"",
          .loads = {"mapped-fault"},
          .onset_ms = 1500,
          .in_circle = true,
          .path = "incidents/001"};
}

TEST(Notice, StallSaysWhatAndWhere) {
  const std::string text = stall_notice(frame(), "stall", stall(), 1'700'000'002 * kSecond);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const Json notice = Json::parse(text);
  EXPECT_EQ(notice["event"], "stall");
  EXPECT_EQ(notice["run"], "r1");
  EXPECT_EQ(notice["node"], "n1");
  EXPECT_EQ(notice["labels"]["build"], "7");
  EXPECT_EQ(notice["class"], "mmap_lock_cycle");
  EXPECT_EQ(notice["signature"], "mmap_lock_cycle:a>b");
  EXPECT_EQ(notice["summary"], "line one\nand \"quotes\"");
  EXPECT_EQ(notice["paths"]["incident"], "/runs/r1/incidents/001");
  EXPECT_NE(notice["onset"].get<std::string>().find(":21.500"), std::string::npos)
      << notice["onset"];
  EXPECT_TRUE(notice["resolved_ms"].is_null());
}

TEST(Notice, EverythingIsEscapedAndBounded) {
  StallNews wild = stall();
  wild.summary = std::string(100'000, '\x01') + "\xff\xfe";
  wild.loads.assign(500, std::string(10'000, '"'));
  NoticeFrame named = frame();
  named.run.target = "a\xff\033[31m";
  const std::string text = stall_notice(named, "stall", wild, 0);
  EXPECT_EQ(Json::parse(text)["loads"].size(), 20U);
  EXPECT_LT(text.size(), 128U << 10U);
  for (const char letter : text) EXPECT_GE(static_cast<unsigned char>(letter), ' ');
}

TEST(Notice, VerdictNamesItsWorstStall) {
  Verdict verdict;
  verdict.outcome = Outcome::fail;
  verdict.exit_code = 1;
  verdict.reasons = {"a stall that never resolved"};
  verdict.stalls.assign(50, {.id = "001", .stall_class = "dropout", .signature = "s1"});
  verdict.stalls[30].failing = true;
  verdict.stalls[30].stall_class = "mmap_lock_cycle";
  const Json notice = Json::parse(verdict_notice(frame(), verdict, 0));
  EXPECT_EQ(notice["event"], "verdict");
  EXPECT_EQ(notice["verdict"], "fail");
  EXPECT_EQ(notice["class"], "mmap_lock_cycle");
  EXPECT_EQ(notice["summary"], "a stall that never resolved");
  EXPECT_EQ(notice["stalls"].size(), 20U);
  EXPECT_EQ(notice["stalls_total"], 50);
  EXPECT_TRUE(Json::parse(verdict_notice(frame(), {}, 0))["class"].is_null());
}

TEST(Notice, PacketsComeBackAsTheyWere) {
  const NoticeMessage sent{.kind = NoticeKind::explained,
                           .id = "001",
                           .key = "k",
                           .conclusive = true,
                           .text = "{\"a\":1}"};
  const auto got = read_notice_packet(notice_packet(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, sent.kind);
  EXPECT_EQ(got->id, sent.id);
  EXPECT_EQ(got->key, sent.key);
  EXPECT_TRUE(got->conclusive);
  EXPECT_EQ(got->text, sent.text);
  for (const char* wrong : {"", "[]", "{}", "{\"kind\":5}", "{\"kind\":\"other\"}", "\xff"})
    EXPECT_FALSE(read_notice_packet(wrong)) << wrong;
}

TEST(Notice, CountsSayOnlyWhatWentWrong) {
  NoticeCounts counts{.asked = "2", .delivered = 3, .limited = 8};
  EXPECT_EQ(counts_text(counts), "");
  counts.failed = 1;
  counts.dropped = 2;
  counts.last_failure = "/bin/x: exit 1: no";
  EXPECT_EQ(counts_text(counts),
            "notices: 3 of 6 not delivered, 2 of them for want of time (last: /bin/x: exit 1: no)");
  const auto back = read_counts_packet(counts_packet(counts));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->asked, "2");
  EXPECT_EQ(back->limited, 8U);
  EXPECT_EQ(counts_text(*back), counts_text(counts));
}

}  // namespace
}  // namespace stallproof
