// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/stall_ledger.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

StallNews stall(const std::string& id, const std::string& stall_class = "unknown") {
  return {.id = id,
          .stall_class = stall_class,
          .sources = {"no-progress"},
          .onset_ms = 1000,
          .detected_ms = 2000};
}

StallNews circle(const std::string& id) {
  StallNews news = stall(id, "mmap_lock_cycle");
  news.in_circle = true;
  return news;
}

StallNews ended(StallNews news, double at_ms) {
  news.resolved_ms = at_ms;
  return news;
}

TEST(StallLedger, QuietRunCountsNothing) {
  const StallLedger ledger;
  EXPECT_TRUE(ledger.by_source().empty());
  EXPECT_TRUE(ledger.settled().empty());
  EXPECT_EQ(ledger.active().at("unknown"), 0U);
  EXPECT_FALSE(ledger.oldest_onset_ms());
  EXPECT_EQ(ledger.circles(), 0U);
}

TEST(StallLedger, CircleIsCountedOnceByItsClass) {
  StallLedger ledger;
  ledger.opened(stall("001"));
  EXPECT_EQ(ledger.by_source().at("no-progress"), 1U);
  EXPECT_EQ(ledger.active().at("unknown"), 1U);
  EXPECT_TRUE(ledger.settled().empty());
  ledger.explained(circle("001"));
  ledger.explained(circle("001"));
  EXPECT_EQ(ledger.active().at("unknown"), 0U);
  EXPECT_EQ(ledger.active().at("mmap_lock_cycle"), 1U);
  EXPECT_EQ(ledger.circles(), 1U);
  ledger.resolved(ended(circle("001"), 9000));
  EXPECT_EQ(ledger.active().at("mmap_lock_cycle"), 0U);
  EXPECT_EQ(ledger.settled().at({"mmap_lock_cycle", "no-progress"}), 1U);
  EXPECT_EQ(ledger.settled().size(), 1U);
}

TEST(StallLedger, ClassIsSettledByTheEndWhereThereIsNoCircle) {
  StallLedger ledger;
  ledger.opened(stall("001"));
  ledger.explained(stall("001", "device_stuck"));
  ledger.opened(stall("002"));
  EXPECT_TRUE(ledger.settled().empty());
  ledger.resolved(ended(stall("001", "device_stuck"), 5000));
  ledger.settle_all();
  ledger.settle_all();
  EXPECT_EQ(ledger.settled().at({"device_stuck", "no-progress"}), 1U);
  EXPECT_EQ(ledger.settled().at({"unknown", "no-progress"}), 1U);
  EXPECT_EQ(ledger.active().at("unknown"), 1U);  // it never ended
}

TEST(StallLedger, StallThatStandsForLongIsCountedAndMayStillBeExplainedBetter) {
  StallLedger ledger;
  ledger.opened(stall("001"));  // detected at 2 s
  ledger.settle_found_before(2000);
  EXPECT_TRUE(ledger.settled().empty());
  ledger.settle_found_before(2001);
  ledger.explained(stall("001", "device_stuck"));
  EXPECT_EQ(ledger.settled().at({"unknown", "no-progress"}), 1U);
  EXPECT_EQ(ledger.active().at("device_stuck"), 1U);
  ledger.resolved(ended(stall("001", "device_stuck"), 9000));
  EXPECT_EQ(ledger.settled().size(), 1U);
}

TEST(StallLedger, MarkAllowsAStallUntilItOutlastsWhatIsAllowed) {
  StallLedger ledger;
  StallNews news = stall("001", "fs_frozen");
  news.allowed_ms = 20'000;
  ledger.opened(news);  // since 1 s
  ledger.opened(stall("002", "device_stuck"));
  EXPECT_EQ(ledger.allowed(21'000).at("fs_frozen"), 1U);
  EXPECT_EQ(ledger.allowed(21'000).at("device_stuck"), 0U);
  EXPECT_DOUBLE_EQ(ledger.longest_allowed_ms(21'000), 20'000);
  EXPECT_EQ(ledger.allowed(21'001).at("fs_frozen"), 0U);
  EXPECT_DOUBLE_EQ(ledger.longest_allowed_ms(21'001), 0);
  EXPECT_EQ(ledger.active().at("fs_frozen"), 1U);
}

TEST(StallLedger, DropoutsAreToldApartByWhetherAnythingCompleted) {
  StallLedger ledger;
  ledger.dropout({.workload = "a", .start_ms = 1000, .ratio = 0}, "a");
  ledger.dropout({.workload = "a", .start_ms = 1000, .end_ms = 3500}, "a");
  ledger.dropout({.workload = "a", .start_ms = 9000, .ratio = 0.04, .allowed = true}, "a");
  const DropoutLine& line = ledger.dropouts().at("a");
  EXPECT_EQ(line.stopped, 1U);
  EXPECT_EQ(line.slow, 1U);
  EXPECT_EQ(line.allowed, 1U);
}

TEST(StallLedger, LengthIsFromOnsetToEnd) {
  StallLedger ledger;
  ledger.opened(stall("001"));
  EXPECT_DOUBLE_EQ(*ledger.oldest_onset_ms(), 1000);
  ledger.resolved(ended(stall("001"), 4000));
  EXPECT_EQ(ledger.durations()[2], 1U);  // 2.5 to 5 s
  EXPECT_DOUBLE_EQ(ledger.durations_sum_s(), 3.0);
  EXPECT_FALSE(ledger.oldest_onset_ms());
}

TEST(StallLedger, ClassesAreBounded) {
  StallLedger ledger;
  for (int i = 0; i < 500; ++i)
    ledger.opened(stall(std::to_string(i), "class" + std::to_string(i)));
  EXPECT_LE(ledger.active().size(), 34U);
  EXPECT_GT(ledger.active().at("other"), 400U);
}

TEST(StallLedger, DropoutThatGoesOnIsActiveUntilItsEnd) {
  StallLedger ledger;
  ledger.dropout({.workload = "a", .start_ms = 1000}, "a");
  EXPECT_EQ(ledger.dropouts().at("a").stopped, 1U);
  EXPECT_DOUBLE_EQ(*ledger.dropouts().at("a").active_since_ms, 1000);
  ledger.dropout({.workload = "a", .start_ms = 1000, .end_ms = 3500}, "a");
  EXPECT_EQ(ledger.dropouts().at("a").stopped, 1U);
  EXPECT_FALSE(ledger.dropouts().at("a").active_since_ms);
  EXPECT_DOUBLE_EQ(ledger.dropouts().at("a").ended_s, 2.5);
  EXPECT_DOUBLE_EQ(ledger.dropouts().at("a").longest_s, 2.5);
}

TEST(StallLedger, UnknownKindsAndSourcesAreOther) {
  StallLedger ledger;
  StallNews strange = stall("001");
  strange.sources = {"astrology"};
  ledger.opened(strange);
  ledger.captured({.incident = "001", .kind = "séance", .taken = false});
  EXPECT_EQ(ledger.by_source().at("other"), 1U);
  EXPECT_EQ(ledger.captures().at({"other", false}), 1U);
}

}  // namespace
}  // namespace stallproof
