// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/store/history_export.h"
#include "harness/store/history_fixture.h"
#include "harness/store/history_runs.h"
#include "harness/store/history_signatures.h"

namespace stallproof {
namespace {

using HistoryTest = HistoryFixture;

TEST_F(HistoryTest, RunsThatDidNotAddThemselvesArePickedUpOnce) {
  save("a", {.started = "2026-06-03T10:00:00.000+00:00"});
  save("b", {.started = "2026-06-04T10:00:00.000+00:00"});
  auto history = open();
  EXPECT_EQ(history->pick_up()->added, 2U);
  EXPECT_EQ(history->pick_up()->added, 0U);
  EXPECT_EQ(find_runs(*history, {}, 0)->all, 2);
}

TEST_F(HistoryTest, NewestFirstAsInstantsWhateverTheirOffsets) {
  // By its digits the first looks later; it is an hour earlier.
  save("east", {.started = "2026-06-03T20:00:00.000+10:00"});
  save("west", {.started = "2026-06-03T03:00:00.000-08:00"});
  auto history = picked_up();
  const auto found = find_runs(*history, {}, 0);
  ASSERT_EQ(found->runs.size(), 2U);
  EXPECT_EQ(found->runs[0].run, "west");
  HistoryFilter later;
  later.since_ms = parse_rfc3339("2026-06-03T10:30:00Z")->unix_ms;
  EXPECT_EQ(find_runs(*history, later, 0)->runs.at(0).run, "west");
  EXPECT_EQ(find_runs(*history, later, 0)->all, 1);
}

TEST_F(HistoryTest, FiltersByBuildLabelAndSignature) {
  save("one", {.build = "1.1", .signature = "c:x"});
  save("two", {.build = "1.2"});
  auto history = picked_up();
  HistoryFilter build, label, signature;
  build.build = "1.1";
  label.labels["build"] = "1.2";
  signature.signature = "c:x";
  EXPECT_EQ(find_runs(*history, build, 0)->runs.at(0).run, "one");
  EXPECT_EQ(find_runs(*history, label, 0)->runs.at(0).run, "two");
  EXPECT_EQ(find_runs(*history, signature, 0)->all, 1);
}

TEST_F(HistoryTest, UnfinishedRunIsReadAgainWhenItHasEnded) {
  std::filesystem::create_directories(root_ + "/runs/slow");
  std::ofstream(root_ + "/runs/slow/run.id") << "slow\n";
  auto history = picked_up();
  EXPECT_EQ(find_run(*history, "slow")->run.state, "unfinished");
  save("slow", {});
  EXPECT_EQ(history->pick_up()->added, 1U);
  EXPECT_EQ(find_run(*history, "slow")->run.state, "pass");
  EXPECT_EQ(find_runs(*history, {}, 0)->all, 1);
}

TEST_F(HistoryTest, TruncatedAndOlderVerdictsAreKeptAsTheyAre) {
  save("cut", {});
  std::filesystem::resize_file(root_ + "/runs/cut/verdict.json", 100);
  std::filesystem::create_directories(root_ + "/runs/old");
  std::ofstream(root_ + "/runs/old/verdict.json")
      << R"({"schema":1,"run":"old","verdict":"pass","exit_code":0,"duration_s":2.0,"stalls":[],)"
      << R"("observer":{},"workloads":{}})";
  auto history = picked_up();
  const auto cut = find_run(*history, "cut");
  EXPECT_EQ(cut->run.state, "unreadable");
  EXPECT_NE(cut->run.reason.find("verdict.json"), std::string::npos);
  EXPECT_EQ(find_run(*history, "old")->run.state, "pass");
}

TEST_F(HistoryTest, RebuildGivesWhatWasThereAndTellsWhatIsGone) {
  save("kept", {.build = "1", .signature = "c:x"});
  save("gone", {});
  auto history = picked_up();
  const std::string before = as_csv(*history_table(*history, {.build = "1"}));
  std::filesystem::remove_all(root_ + "/runs/gone");
  const auto rebuilt = history->rebuild({});
  ASSERT_TRUE(rebuilt);
  EXPECT_EQ(rebuilt->runs, 1U);
  ASSERT_EQ(rebuilt->gone.size(), 1U);
  EXPECT_TRUE(rebuilt->gone[0].ends_with("/gone"));
  EXPECT_EQ(as_csv(*history_table(*history, {})), before);
}

TEST_F(HistoryTest, RunsElsewhereStayThroughARebuild) {
  save_at(root_ + "/elsewhere/far", "far", {});
  auto history = open();
  ASSERT_TRUE(history->rebuild({root_ + "/elsewhere"}));
  EXPECT_EQ(find_runs(*history, {}, 0)->all, 1);
  EXPECT_EQ(history->rebuild({})->runs, 1U);
  EXPECT_FALSE(history->rebuild({root_ + "/nowhere"}));
}

TEST_F(HistoryTest, RunIsFoundByNameBeginningAndDirectory) {
  save("20260603-a", {.started = "2026-06-03T10:00:00Z"});
  save("20260604-b", {.started = "2026-06-04T10:00:00Z"});
  auto history = picked_up();
  EXPECT_EQ(find_run(*history, "20260603")->run.run, "20260603-a");
  EXPECT_EQ(find_run(*history, root_ + "/runs/20260603-a")->run.run, "20260603-a");
  EXPECT_EQ(find_run(*history, "latest")->run.run, "20260604-b");
  const auto both = find_run(*history, "2026060");
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().what.find("more than one"), std::string::npos);
  EXPECT_FALSE(find_run(*history, "x' OR '1'='1"));
}

TEST_F(HistoryTest, TheSameStallIsKnownAcrossRunsAndBuilds) {
  save("a", {.build = "1.1", .started = "2026-06-03T10:00:00Z", .signature = "c:x"});
  save("b", {.build = "1.2", .started = "2026-07-03T10:00:00Z", .signature = "c:x"});
  save("c", {.build = "1.3", .started = "2026-08-03T10:00:00Z"});
  save("r", {.started = "2026-09-03T10:00:00Z", .signature = "c:x", .scenario = "mmap"});
  auto history = picked_up();
  const auto all = signatures_of(*history, {});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  const SignatureHistory& stall = all->front();
  EXPECT_EQ(stall.first->run, "a");
  EXPECT_EQ(stall.last->run, "b");
  EXPECT_EQ(stall.runs, 2);
  EXPECT_EQ(stall.runs_on_purpose, 1);
  EXPECT_EQ(stall.builds, (std::vector<std::string>{"1.1", "1.2"}));
  // Three runs of an hour; what repro made on purpose says nothing of how often it comes.
  EXPECT_DOUBLE_EQ(stall.node_hours, 3.0);
}

TEST_F(HistoryTest, AMergeCountsTheHoursOfAllItsNodes) {
  save("m", {});
  Verdict merge;
  merge.run = "m";
  merge.outcome = Outcome::pass;
  merge.duration_s = 3600;
  merge.fleet.nodes = {{.node = "n1", .standing = "counted"},
                       {.node = "n2", .standing = "counted"}};
  merge.fleet.node_hours = 2;
  std::ofstream(root_ + "/runs/m/verdict.json") << verdict_json(merge);
  auto history = picked_up();
  EXPECT_DOUBLE_EQ(find_run(*history, "m")->run.duration_s, 7200);
}

TEST_F(HistoryTest, SeenBeforeMeansEarlierAndInAnotherRun) {
  save("a", {.started = "2026-06-03T10:00:00Z", .signature = "c:x"});
  save("r", {.started = "2026-06-20T10:00:00Z", .signature = "c:x", .scenario = "mmap"});
  auto history = picked_up();
  const std::int64_t july = parse_rfc3339("2026-07-01T00:00:00Z")->unix_ms;
  const std::int64_t june = parse_rfc3339("2026-06-01T00:00:00Z")->unix_ms;
  // One that came by itself goes before one made on purpose, although that is later.
  EXPECT_EQ((*seen_before(*history, "c:x", "b", july))->run, "a");
  EXPECT_EQ((*seen_before(*history, "c:x", "a", july))->run, "r");
  EXPECT_FALSE(seen_before(*history, "c:x", "b", june)->has_value());
  EXPECT_FALSE(seen_before(*history, "unknown", "b", july)->has_value());
}

TEST_F(HistoryTest, ExportQuotesWhatCsvNeedsQuoted) {
  save("a", {.build = "1,\"2\""});
  auto history = picked_up();
  const std::string csv = as_csv(*history_table(*history, {}));
  EXPECT_NE(csv.find(",\"1,\"\"2\"\"\","), std::string::npos);
  EXPECT_TRUE(csv.starts_with("time,run,node,build,kernel,scenario,verdict,hours,"));
  EXPECT_NE(csv.find("reader.ops_per_s"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
