// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/meeting.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stallproof {
namespace {

// Far from zero, as the wall clock is.
constexpr Nanos kNow = 1'764'000'000 * kSecond;

NodeIdentity identity(unsigned rank, unsigned count = 3) {
  return {.rank = rank,
          .count = count,
          .node = "n" + std::to_string(rank),
          .run = "run-" + std::to_string(rank),
          .plan_id = "p",
          .tool_version = "1.0"};
}

// Three nodes whose cards are carried to and fro; `ahead`: of each clock.
class Table {
 public:
  explicit Table(std::vector<std::int64_t> ahead = {0, 0, 0}) : ahead_(std::move(ahead)) {
    for (unsigned rank = 1; rank < 3; ++rank) guests.emplace_back(identity(rank));
  }
  // The cards are written, and a round later read; each step takes 10 ms of true time.
  StartCard round() {
    StartCard answer = host.card(clock(0));
    pass();
    for (std::size_t i = 0; i < guests.size(); ++i) {
      if (silent == i + 1) continue;
      guests[i].hear(answer, clock(i + 1));
    }
    pass();
    std::vector<NodeCard> cards;
    for (std::size_t i = 0; i < guests.size(); ++i)
      if (silent != i + 1) cards.push_back(guests[i].card(clock(i + 1)));
    pass();
    host.hear(cards, clock(0));
    return answer;
  }
  StartCard rounds(int count) {
    StartCard last;
    for (int i = 0; i < count; ++i) last = round();
    return last;
  }
  [[nodiscard]] Nanos clock(std::size_t rank) const {
    return true_ + static_cast<Nanos>(ahead_[rank]);
  }

  MeetingHost host{identity(0)};
  std::vector<MeetingGuest> guests;
  std::size_t silent = 0;  // this rank takes no part

 private:
  void pass() { true_ += 10 * kMillisecond; }
  Nanos true_ = kNow;
  std::vector<std::int64_t> ahead_;
};

TEST(Meeting, AStartIsNamedWhenAllAreThereAndIsAWholeSecondAhead) {
  Table table;
  table.silent = 2;
  StartCard answer = table.rounds(20);
  EXPECT_EQ(answer.start_s, 0U);
  EXPECT_EQ(table.host.missing(), std::vector<unsigned>{2});
  table.silent = 0;
  const Nanos before = table.clock(0);
  answer = table.rounds(3);
  ASSERT_NE(answer.start_s, 0U) << answer.refused;
  EXPECT_GE(answer.start_s * kSecond, before + 2 * kSecond);
  EXPECT_LE(answer.start_s * kSecond, before + 4 * kSecond);
  for (const MeetingGuest& guest : table.guests) {
    ASSERT_TRUE(guest.answer());
    EXPECT_EQ(guest.answer()->start_s, answer.start_s);
  }
}

TEST(Meeting, TheStartThatWasNamedStays) {
  Table table;
  const StartCard first = table.rounds(5);
  ASSERT_NE(first.start_s, 0U);
  EXPECT_EQ(table.rounds(50).start_s, first.start_s);
}

TEST(Meeting, TheDifferenceOfTheClocksIsWithinItsError) {
  const std::int64_t ahead = 300 * static_cast<std::int64_t>(kMillisecond);
  Table table({0, ahead, -ahead});
  table.rounds(5);
  for (std::size_t i = 0; i < 2; ++i) {
    const ClockBounds& clock = table.guests[i].clock();
    ASSERT_TRUE(clock.known());
    const std::int64_t truth = i == 0 ? ahead : -ahead;
    EXPECT_LE(std::abs(-clock.offset() - truth), clock.error());
    EXPECT_LE(clock.error(), static_cast<std::int64_t>(30 * kMillisecond));
  }
}

TEST(Meeting, ClocksMoreThanASecondApartAreRefusedByName) {
  Table table({0, 1100 * static_cast<std::int64_t>(kMillisecond), 0});
  const StartCard answer = table.rounds(5);
  EXPECT_EQ(answer.start_s, 0U);
  EXPECT_NE(answer.refused.find("the clock of n1 is at least 1."), std::string::npos)
      << answer.refused;
  EXPECT_NE(answer.refused.find("chronyc"), std::string::npos);
}

TEST(Meeting, TwoGuestsMayBeApartAlthoughNeitherIsFromRankZero) {
  const std::int64_t ahead = 700 * static_cast<std::int64_t>(kMillisecond);
  const StartCard answer = Table({0, ahead, -ahead}).rounds(5);
  EXPECT_NE(answer.refused.find("n1 is at least 1."), std::string::npos) << answer.refused;
  EXPECT_NE(answer.refused.find("of n2"), std::string::npos) << answer.refused;
}

TEST(Meeting, ClocksThatMayBeAlikeAreNotApart) {
  const std::int64_t ahead = 900 * static_cast<std::int64_t>(kMillisecond);
  EXPECT_NE(Table({0, ahead, 0}).rounds(5).start_s, 0U);
}

StartCard with_guest(const NodeIdentity& guest) {
  Table table;
  table.guests[0] = MeetingGuest(guest);
  return table.rounds(5);
}

TEST(Meeting, AnotherPlanVersionNameOrCountIsRefusedByName) {
  NodeIdentity other = identity(1);
  other.plan_id = "q";
  EXPECT_NE(with_guest(other).refused.find("n1 has another plan than n0"), std::string::npos);
  other = identity(1);
  other.tool_version = "1.1";
  EXPECT_NE(with_guest(other).refused.find("n1 runs stallproof 1.1, n0 runs 1.0"),
            std::string::npos);
  other = identity(1);
  other.node = "n2";
  EXPECT_NE(with_guest(other).refused.find("both called n2"), std::string::npos);
  other = identity(1, 4);
  EXPECT_NE(with_guest(other).refused.find("node 1 of 4, n0 that there are 3"), std::string::npos);
  other = identity(7, 3);
  EXPECT_NE(with_guest(other).refused.find("node 7 of 3"), std::string::npos);
}

TEST(Meeting, CardsOfAnEarlierMeetingCountOnNeitherSide) {
  MeetingHost host(identity(0));
  NodeCard old{.rank = 1, .count = 3, .node = "n1", .run = "old", .stamp = kNow, .heard = {}};
  host.hear({old}, kNow);
  old.heard = Heard{"another-run", kNow};
  host.hear({old}, kNow);
  EXPECT_EQ(host.missing().size(), 2U);
  MeetingGuest guest(identity(1));
  StartCard stale{.node = "n0", .run = "old", .stamp = kNow, .start_s = 5, .heard = {}};
  stale.heard[1] = {"another-run", kNow};
  guest.hear(stale, kNow);
  EXPECT_FALSE(guest.answer());
}

TEST(Meeting, ANodeThatBeginsAnewTakesItsOwnPlaceAndNobodyElses) {
  Table table;
  table.silent = 2;
  table.rounds(5);
  NodeIdentity again = identity(1);
  again.run = "run-1-again";
  table.guests[0] = MeetingGuest(again);
  EXPECT_TRUE(table.rounds(5).refused.empty());
  again.node = "n9";
  again.run = "run-of-another";
  table.guests[0] = MeetingGuest(again);
  EXPECT_NE(table.rounds(5).refused.find("both say that they are node 1"), std::string::npos);
}

TEST(Meeting, OneNodeMeetsItself) {
  MeetingHost host(identity(0, 1));
  EXPECT_NE(host.card(kNow).start_s, 0U);
}

TEST(MeetingCards, AreReadAsTheyWereWritten) {
  NodeCard card{.rank = 2,
                .count = 3,
                .node = "n2",
                .run = "r",
                .plan_id = "p",
                .tool_version = "1.0",
                .stamp = kNow + 1,
                .heard = Heard{"h", kNow}};
  const auto again = node_card(card_json(card));
  ASSERT_TRUE(again);
  EXPECT_EQ(card_json(*again), card_json(card));
  EXPECT_EQ(again->heard->stamp, kNow);
  StartCard start{.node = "n0", .run = "r", .stamp = kNow, .start_s = 7, .refused = "no"};
  start.heard[2] = {"r2", kNow};
  const auto start_again = start_card(card_json(start));
  ASSERT_TRUE(start_again);
  EXPECT_EQ(card_json(*start_again), card_json(start));
}

TEST(MeetingCards, WhatIsNoCardIsNone) {
  const std::string whole = card_json(NodeCard{.rank = 1, .count = 2, .heard = {}});
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("[]"), std::string("{}"),
        whole.substr(0, whole.size() / 2), std::string("{\"schema\":2}"),
        std::string("{\"schema\":1,\"rank\":\"a\"}")}) {
    EXPECT_FALSE(node_card(text)) << text;
    EXPECT_FALSE(start_card(text)) << text;
  }
}

}  // namespace
}  // namespace stallproof
