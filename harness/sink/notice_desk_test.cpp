// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice_desk.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

NoticeMessage stall(const std::string& id, const std::string& key = "unknown") {
  return {.kind = NoticeKind::stall, .id = id, .key = key, .text = "stall " + id + " " + key};
}

NoticeMessage explained(const std::string& id, const std::string& key, bool conclusive) {
  return {.kind = NoticeKind::explained,
          .id = id,
          .key = key,
          .conclusive = conclusive,
          .text = "stall " + id + " " + key};
}

NoticeMessage resolved(const std::string& id) {
  return {.kind = NoticeKind::resolved, .id = id, .key = {}, .text = "resolved " + id};
}

NoticeMessage verdict() { return {.kind = NoticeKind::verdict, .text = "verdict"}; }

// All that is to be delivered by then.
std::vector<std::string> told(NoticeDesk& desk, Nanos now) {
  std::vector<std::string> texts;
  while (auto text = desk.next(now)) texts.push_back(*text);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(NoticeDesk, StallWaitsForItsExplanation) {
  NoticeDesk desk;
  desk.take(stall("001"), 0);
  EXPECT_EQ(told(desk, kSecond), Texts{});
  desk.take(explained("001", "held", false), kSecond);
  EXPECT_EQ(told(desk, kSecond), Texts{});
  desk.take(explained("001", "cycle", true), kSecond + 1);
  EXPECT_EQ(told(desk, kSecond + 1), Texts{"stall 001 cycle"});
  desk.take(explained("001", "other", true), 2 * kSecond);
  EXPECT_EQ(told(desk, 60 * kSecond), Texts{});
  EXPECT_TRUE(desk.empty());
}

TEST(NoticeDesk, StallIsToldWithoutExplanationToo) {
  NoticeDesk desk;
  desk.take(stall("001"), kSecond);
  ASSERT_TRUE(desk.next_due());
  EXPECT_EQ(*desk.next_due(), kSecond + NoticeDesk::kExplainWithin);
  EXPECT_EQ(told(desk, *desk.next_due()), Texts{"stall 001 unknown"});
  desk.take(stall("002"), 700 * kSecond);
  desk.take(explained("002", "held", false), 701 * kSecond);
  EXPECT_EQ(told(desk, 701 * kSecond + NoticeDesk::kBetterWithin), Texts{"stall 002 held"});
}

TEST(NoticeDesk, SameSignatureOnceInTenMinutes) {
  NoticeDesk desk;
  for (int i = 0; i < 20; ++i) {
    const std::string id = std::to_string(i);
    const Nanos at = static_cast<Nanos>(i) * 60 * kSecond;
    desk.take(stall(id), at);
    desk.take(explained(id, "cycle", true), at);
    desk.take(resolved(id), at + kSecond);
  }
  EXPECT_EQ(told(desk, 1200 * kSecond),
            (Texts{"stall 0 cycle", "resolved 0", "stall 10 cycle", "resolved 10"}));
  EXPECT_EQ(desk.limited(), 18U);
  desk.take(stall("x"), 1200 * kSecond);
  desk.take(explained("x", "another", true), 1200 * kSecond);
  EXPECT_EQ(told(desk, 1200 * kSecond), Texts{"stall x another"});
}

TEST(NoticeDesk, ResolvedFollowsItsStallOnly) {
  NoticeDesk desk;
  desk.take(resolved("001"), 0);  // of a window: its stall was not told
  desk.take(explained("001", "cycle", true), 0);
  EXPECT_EQ(told(desk, 60 * kSecond), Texts{});
  desk.take(stall("002"), 0);
  desk.take(resolved("002"), kSecond);
  EXPECT_EQ(told(desk, kSecond), (Texts{"stall 002 unknown", "resolved 002"}));
}

TEST(NoticeDesk, VerdictIsAlwaysToldAndComesNext) {
  NoticeDesk desk;
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    desk.take(stall(id), 0);
    desk.take(explained(id, "signature " + id, true), 0);
  }
  EXPECT_EQ(desk.dropped(), 100 - NoticeDesk::kMost);
  desk.take(verdict(), 1);
  EXPECT_EQ(told(desk, 1), Texts{"verdict"});
  EXPECT_EQ(desk.dropped(), 100U);
  desk.take(verdict(), 2);
  EXPECT_EQ(told(desk, 2), Texts{"verdict"});
}

TEST(NoticeDesk, FlushTellsWhatWaits) {
  NoticeDesk desk;
  desk.take(stall("001"), 0);
  EXPECT_FALSE(desk.empty());
  desk.take({.kind = NoticeKind::flush, .id = "1"}, 1);
  EXPECT_EQ(told(desk, 1), Texts{"stall 001 unknown"});
  EXPECT_TRUE(desk.empty());
}

TEST(NoticeDesk, SameBlindnessOnceInTenMinutes) {
  NoticeDesk desk;
  const NoticeMessage blind{.kind = NoticeKind::blind, .key = "blind: x", .text = "blind"};
  desk.take(blind, 0);
  desk.take(blind, kSecond);
  desk.take(blind, NoticeDesk::kOnceIn);
  EXPECT_EQ(told(desk, NoticeDesk::kOnceIn), (Texts{"blind", "blind"}));
}

}  // namespace
}  // namespace stallproof
