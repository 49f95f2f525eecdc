// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/load_ledger.h"

#include <gtest/gtest.h>

#include <set>

namespace stallproof {
namespace {

RunFigures figures_of(std::vector<LoadFigures> loads) {
  return {.taken_ns = 1, .loads = std::move(loads)};
}

TEST(LoadLedger, CountsNeverFall) {
  LoadLedger ledger;
  const auto at = [](std::uint64_t ops, std::uint64_t bytes) {
    return figures_of({{.name = "a",
                        .ops = ops,
                        .kinds = {{.kind = "read", .ops = ops, .bytes = bytes, .seconds = 2}},
                        .failures = {{"io", ops}}}});
  };
  ledger.take(at(100, 7));
  ledger.take(at(40, 0));  // began anew
  ledger.take(figures_of({}));
  const LoadLine& line = ledger.lines().at("a");
  EXPECT_EQ(line.ops, 140U);
  EXPECT_EQ(line.kinds.at("read").ops, 140U);
  EXPECT_EQ(line.kinds.at("read").bytes, 7U);
  EXPECT_DOUBLE_EQ(line.kinds.at("read").seconds, 2);
  EXPECT_EQ(line.failures.at("io"), 140U);
}

TEST(LoadLedger, KindsOfAForeignLoadAreNotKnown) {
  LoadLedger ledger;
  ledger.take(figures_of({{.name = "fio-1", .own = false, .ops = 10}}));
  EXPECT_EQ(ledger.lines().at("fio").kinds.at("any").ops, 10U);
  EXPECT_TRUE(ledger.lines().at("fio").failures.empty());
}

TEST(LoadLedger, TargetIsTheLoadsOwnElseThatOfTheRun) {
  LoadLedger ledger;
  ledger.set_targets({{"", "/mnt/data"}, {"scratch", "/mnt/\nfast"}});
  ledger.take(figures_of({{.name = "reader"}, {.name = "scratch"}}));
  EXPECT_EQ(ledger.lines().at("reader").target, "/mnt/data");
  EXPECT_EQ(ledger.lines().at("scratch").target, "/mnt/?fast");
}

TEST(LoadLedger, TargetsAreBounded) {
  LoadLedger ledger;
  std::map<std::string, std::string> targets;
  std::vector<LoadFigures> loads;
  for (int i = 0; i < 30; ++i) {
    targets["sd" + std::to_string(i)] = "/dev/x" + std::to_string(i);
    loads.push_back({.name = "sd" + std::to_string(i)});
  }
  ledger.set_targets(targets);
  ledger.take(figures_of(std::move(loads)));
  std::set<std::string> found;
  for (const auto& [label, line] : ledger.lines()) found.insert(line.target);
  EXPECT_EQ(found.size(), kTargetLabels + 1);
  EXPECT_TRUE(found.contains("other"));
}

TEST(LoadLedger, ProcessesOfOneCommandAreOneWorkload) {
  LoadLedger ledger;
  ledger.take(figures_of({{.name = "fio-1", .own = false, .ops = 10, .in_flight = 1},
                          {.name = "fio-2",
                           .own = false,
                           .ops = 5,
                           .in_flight = 2,
                           .oldest_age_ns = 3'000'000'000,
                           .last_progress_ns = 9}}));
  ASSERT_EQ(ledger.lines().size(), 1U);
  const LoadLine& line = ledger.lines().at("fio");
  EXPECT_EQ(line.ops, 15U);
  EXPECT_EQ(line.in_flight, 3U);
  EXPECT_DOUBLE_EQ(line.oldest_age_s, 3.0);
  EXPECT_EQ(line.last_progress_ns, 9U);
  EXPECT_FALSE(line.own);
  EXPECT_EQ(ledger.label_of("fio-2"), "fio");
}

TEST(LoadLedger, OwnLoadKeepsItsNumber) {
  LoadLedger ledger;
  ledger.take(figures_of({{.name = "reader-1"}, {.name = "reader-2"}}));
  EXPECT_EQ(ledger.lines().size(), 2U);
}

TEST(LoadLedger, WorkloadsAreBounded) {
  LoadLedger ledger;
  for (int i = 0; i < 1000; ++i)
    ledger.take(figures_of({{.name = "load" + std::to_string(i) + "x", .ops = 1}}));
  EXPECT_EQ(ledger.lines().size(), kWorkloadLabels + 1);
  EXPECT_EQ(ledger.lines().at("other").ops, 1000 - kWorkloadLabels);
  EXPECT_EQ(ledger.label_of("load999x"), "other");
  EXPECT_EQ(ledger.label_of("never seen"), "other");
}

TEST(LoadLedger, RatioComparesTheLastSecondWithTheUsualOne) {
  LoadLedger ledger;
  std::uint64_t ops = 0;
  const auto second = [&](std::uint64_t done) {
    ops += done;
    ledger.take(figures_of({{.name = "a", .ops = ops}}));
    ledger.note_second(1);
    return ledger.lines().at("a").throughput_ratio;
  };
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(second(1000)) << i;
  EXPECT_DOUBLE_EQ(*second(1000), 1.0);
  EXPECT_DOUBLE_EQ(*second(50), 0.05);
  EXPECT_DOUBLE_EQ(*second(0), 0.0);
  EXPECT_DOUBLE_EQ(*second(1000), 1.0);
}

TEST(LoadLedger, LoadThatNeverWorkedHasNoRatio) {
  LoadLedger ledger;
  for (int i = 0; i < 30; ++i) {
    ledger.take(figures_of({{.name = "a"}}));
    ledger.note_second(1);
  }
  EXPECT_FALSE(ledger.lines().at("a").throughput_ratio);
}

}  // namespace
}  // namespace stallproof
