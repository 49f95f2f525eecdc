// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_families.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/sink/metrics_text.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

// A run that began at 100 s of the monotonic clock, seen at 130 s.
class RunMetricsFamilies : public testing::Test {
 protected:
  RunMetricsFamilies() {
    picture_.news = {.run = "r1",
                     .command = "run",
                     .node = "n",
                     .kernel = "6.1",
                     .labels = {{"build", "42"}},
                     .started_ns = 100 * kSecondNs};
    picture_.active = true;
    picture_.figures.taken_ns = 130 * kSecondNs;
    picture_.figures.observer.heartbeat_ns = 130 * kSecondNs;
  }
  void take(std::vector<LoadFigures> loads) {
    picture_.figures.loads = std::move(loads);
    picture_.loads.take(picture_.figures);
  }
  [[nodiscard]] MetricFamilies collect() const {
    return run_metrics(picture_,
                       {.monotonic_ns = 130 * kSecondNs, .realtime_ns = 5000 * kSecondNs});
  }
  // The one line of the text that begins so, without its beginning.
  [[nodiscard]] std::string line(const std::string& series) const {
    const std::string text = metrics_text(collect());
    const auto found = text.find("\n" + series + " ");
    if (found == std::string::npos) return "absent";
    const auto begin = found + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  RunPicture picture_;
};

TEST_F(RunMetricsFamilies, QuietRunHasAllItsCountersAtZero) {
  take({{.name = "reader", .kinds = {{.kind = "read"}}, .failures = {{"io", 0}}}});
  EXPECT_EQ(line("stallproof_ops_total{workload=\"reader\",op=\"read\"}"), "0");
  EXPECT_EQ(line("stallproof_op_errors_total{workload=\"reader\",errno_class=\"io\"}"), "0");
  EXPECT_EQ(line("stallproof_op_duration_seconds_count{workload=\"reader\",op=\"read\"}"), "0");
  EXPECT_EQ(line("stallproof_inflight_ops{workload=\"reader\"}"), "0");
  EXPECT_EQ(line("stallproof_oldest_inflight_seconds{workload=\"reader\"}"), "0");
  EXPECT_EQ(line("stallproof_stalls_detected_total{source=\"no-progress\"}"), "0");
  EXPECT_EQ(line("stallproof_stalls_total{class=\"unknown\",source=\"no-progress\"}"), "0");
  EXPECT_EQ(line("stallproof_stall_active{class=\"unknown\"}"), "0");
  EXPECT_EQ(line("stallproof_dropouts_total{workload=\"reader\",severity=\"slow\"}"), "0");
  EXPECT_EQ(line("stallproof_run_active"), "1");
  EXPECT_EQ(line("stallproof_run_verdict{verdict=\"pass\"}"), "0");
  EXPECT_EQ(line("stallproof_last_progress_timestamp_seconds{workload=\"reader\"}"), "4970");
  EXPECT_EQ(line("stallproof_injection_active{nemesis=\"canary\"}"), "0");
  EXPECT_EQ(line("stallproof_injection_active{nemesis=\"mark\"}"), "0");
  EXPECT_EQ(line("stallproof_mark_allowed_seconds"), "0");
  EXPECT_EQ(line("stallproof_probe_timeouts_total{probe=\"stack\"}"), "0");
}

TEST_F(RunMetricsFamilies, HungOperationIsSeenByItsAge) {
  take({{.name = "reader",
         .ops = 5,
         .in_flight = 2,
         .oldest_age_ns = 7 * kSecondNs,
         .last_progress_ns = 123 * kSecondNs}});
  EXPECT_EQ(line("stallproof_oldest_inflight_seconds{workload=\"reader\"}"), "7");
  EXPECT_EQ(line("stallproof_last_progress_timestamp_seconds{workload=\"reader\"}"), "4993");
}

TEST_F(RunMetricsFamilies, AgeGrowsWhileTheFiguresAreOld) {
  picture_.figures.taken_ns = 128 * kSecondNs;
  take({{.name = "reader", .in_flight = 1, .oldest_age_ns = 7 * kSecondNs}});
  EXPECT_EQ(line("stallproof_oldest_inflight_seconds{workload=\"reader\"}"), "9");
  EXPECT_EQ(line("stallproof_sample_age_seconds"), "2");
}

TEST_F(RunMetricsFamilies, WhatIsNotKnownOfForeignLoadIsAbsent) {
  take({{.name = "fio-77", .own = false, .ops = 9}});
  EXPECT_EQ(line("stallproof_ops_total{workload=\"fio\",op=\"any\"}"), "9");
  EXPECT_EQ(line("stallproof_bytes_total{workload=\"fio\",op=\"any\"}"), "absent");
  EXPECT_EQ(line("stallproof_op_duration_seconds_count{workload=\"fio\",op=\"any\"}"), "absent");
}

TEST_F(RunMetricsFamilies, StandingStallIsActiveWithItsAge) {
  picture_.stalls.opened({.id = "001",
                          .stall_class = "mmap_lock_cycle",
                          .sources = {"no-progress"},
                          .onset_ms = 20'000});
  EXPECT_EQ(line("stallproof_stall_active{class=\"mmap_lock_cycle\"}"), "1");
  EXPECT_EQ(line("stallproof_stall_age_seconds"), "10");
  EXPECT_EQ(line("stallproof_stalls_detected_total{source=\"no-progress\"}"), "1");
  EXPECT_EQ(line("stallproof_stall_allowed{class=\"mmap_lock_cycle\"}"), "0");
}

TEST_F(RunMetricsFamilies, LoadSaysWhatItWorksOnAndWhy) {
  picture_.loads.set_targets({{"", "/mnt/data"}});
  take({{.name = "reader",
         .ops = 3,
         .kinds = {{.kind = "read", .ops = 2, .bytes = 8192}, {.kind = "sync", .ops = 1}},
         .failures = {{"io", 1}}}});
  const std::string load = "{workload=\"reader\",target=\"/mnt/data\"";
  EXPECT_EQ(line("stallproof_ops_total" + load + ",op=\"read\"}"), "2");
  EXPECT_EQ(line("stallproof_ops_total" + load + ",op=\"sync\"}"), "1");
  EXPECT_EQ(line("stallproof_bytes_total" + load + ",op=\"read\"}"), "8192");
  EXPECT_EQ(line("stallproof_op_errors_total" + load + ",errno_class=\"io\"}"), "1");
  EXPECT_EQ(line("stallproof_inflight_ops" + load + "}"), "0");
}

TEST_F(RunMetricsFamilies, MarkAllowsWhatBeginsInItsWindow) {
  picture_.marks = {{.text = "failover", .start_ms = 20'000, .end_ms = 40'000, .allow_ms = 20'000},
                    {.text = "note", .start_ms = 20'000, .end_ms = 40'000}};
  EXPECT_EQ(line("stallproof_injection_active{nemesis=\"mark\"}"), "1");
  EXPECT_EQ(line("stallproof_injection_active{nemesis=\"canary\"}"), "0");
  EXPECT_EQ(line("stallproof_mark_allowed_seconds"), "20");
  picture_.stalls.opened({.id = "001",
                          .stall_class = "fs_frozen",
                          .sources = {"no-progress"},
                          .onset_ms = 29'000,
                          .allowed_ms = 20'000});
  EXPECT_EQ(line("stallproof_stall_active{class=\"fs_frozen\"}"), "1");
  EXPECT_EQ(line("stallproof_stall_allowed{class=\"fs_frozen\"}"), "1");
}

// The window is over, and what began in it is still allowed; then the run is over.
TEST_F(RunMetricsFamilies, AllowanceOfAStallOutlivesTheWindowAndNotTheRun) {
  picture_.marks = {{.text = "failover", .start_ms = 1000, .end_ms = 20'000, .allow_ms = 5000}};
  EXPECT_EQ(line("stallproof_mark_allowed_seconds"), "0");
  EXPECT_EQ(line("stallproof_injection_active{nemesis=\"mark\"}"), "0");
  picture_.stalls.opened({.id = "001",
                          .stall_class = "fs_frozen",
                          .sources = {"no-progress"},
                          .onset_ms = 19'000,
                          .allowed_ms = 20'000});
  EXPECT_EQ(line("stallproof_mark_allowed_seconds"), "20");
  picture_.active = false;
  EXPECT_EQ(line("stallproof_mark_allowed_seconds"), "0");
}

TEST_F(RunMetricsFamilies, ControllerTellsOfItselfWhileTheRunGoesOn) {
  picture_.health = {
      .probe_timeouts = {{"stack", 2}, {"fifo", 1}}, .left_behind = 3, .unkillable = 1};
  EXPECT_EQ(line("stallproof_probe_timeouts_total{probe=\"stack\"}"), "2");
  EXPECT_EQ(line("stallproof_probe_timeouts_total{probe=\"other\"}"), "1");
  EXPECT_EQ(line("stallproof_unkillable_children"), "1");
  EXPECT_EQ(line("stallproof_left_behind"), "3");
  picture_.end = {.verdict = "unknown", .probe_timeouts = 5, .left_behind = 4, .unkillable = 2};
  EXPECT_EQ(line("stallproof_probe_timeouts_total{probe=\"other\"}"), "3");
  EXPECT_EQ(line("stallproof_unkillable_children"), "2");
}

TEST_F(RunMetricsFamilies, TasksAndKernelLogAreToldByKind) {
  picture_.figures.system = {
      .hung_tasks = 7, .blocked_tasks = 5, .blocked_killable = 2, .asleep_in_calls = 4};
  picture_.figures.observer.kmsg_events = {{"io_error", 6}};
  EXPECT_EQ(line("stallproof_blocked_tasks{state=\"D\"}"), "3");
  EXPECT_EQ(line("stallproof_blocked_tasks{state=\"D_killable\"}"), "2");
  EXPECT_EQ(line("stallproof_blocked_tasks{state=\"S_fs\"}"), "4");
  EXPECT_EQ(line("stallproof_kmsg_events_total{kind=\"io_error\"}"), "6");
  EXPECT_EQ(line("stallproof_kernel_hung_tasks_total"), "7");
}

TEST_F(RunMetricsFamilies, DropoutThatGoesOnGrows) {
  take({{.name = "reader"}});
  picture_.stalls.dropout({.workload = "reader", .start_ms = 27'000}, "reader");
  EXPECT_EQ(line("stallproof_dropout_active{workload=\"reader\"}"), "1");
  EXPECT_EQ(line("stallproof_dropout_seconds_total{workload=\"reader\"}"), "3");
  EXPECT_EQ(line("stallproof_longest_dropout_seconds{workload=\"reader\"}"), "3");
}

TEST_F(RunMetricsFamilies, LocksAreToldOnlyWhileSomebodyLooks) {
  EXPECT_EQ(line("stallproof_lock_waiters{lock=\"mmap_lock\",mode=\"read\"}"), "absent");
  picture_.figures.mmap_lock = {.seen = true, .read_waiters = 18, .write_waiters = 1};
  EXPECT_EQ(line("stallproof_lock_waiters{lock=\"mmap_lock\",mode=\"read\"}"), "18");
  picture_.figures.observer.heartbeat_ns = 110 * kSecondNs;
  EXPECT_EQ(line("stallproof_lock_waiters{lock=\"mmap_lock\",mode=\"read\"}"), "absent");
}

TEST_F(RunMetricsFamilies, AfterTheVerdictNothingIsInFlight) {
  take({{.name = "reader", .in_flight = 3, .oldest_age_ns = 7 * kSecondNs}});
  picture_.active = false;
  picture_.end = {.verdict = "fail", .left_behind = 2, .unkillable = 1};
  EXPECT_EQ(line("stallproof_inflight_ops{workload=\"reader\"}"), "absent");
  EXPECT_EQ(line("stallproof_run_active"), "0");
  EXPECT_EQ(line("stallproof_run_verdict{verdict=\"fail\"}"), "1");
  EXPECT_EQ(line("stallproof_run_verdict{verdict=\"pass\"}"), "0");
  EXPECT_EQ(line("stallproof_unkillable_children"), "1");
  EXPECT_EQ(line("stallproof_left_behind"), "2");
}

TEST_F(RunMetricsFamilies, InfoCarriesTheBuildAndNoPath) {
  picture_.news.dir = "/var/lib/secret";
  picture_.news.target = "/mnt/secret";
  const std::string text = metrics_text(collect());
  EXPECT_NE(text.find("build=\"42\""), std::string::npos);
  EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST_F(RunMetricsFamilies, NamesAreWellFormedAndUnique) {
  take({{.name = "<script>\"\n", .kinds = {{.kind = "read"}}}});
  std::set<std::string> names;
  for (const MetricFamily& family : collect()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_TRUE(family.name.starts_with("stallproof_")) << family.name;
    EXPECT_EQ(family.type == MetricType::counter, family.name.ends_with("_total")) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    if (family.type != MetricType::histogram) continue;
    for (const MetricSample& sample : family.samples)
      EXPECT_EQ(sample.counts.size(), family.edges.size() + 1) << family.name;
  }
}

TEST_F(RunMetricsFamilies, BeforeTheRunThereIsOnlyNoVerdict) {
  picture_ = RunPicture{};
  EXPECT_EQ(collect().size(), 2U);
}

TEST_F(RunMetricsFamilies, AThousandSeriesAtMostForAllLoads) {
  std::vector<LoadFigures> loads;
  for (int i = 0; i < 200; ++i)
    loads.push_back({.name = "load" + std::to_string(i), .kinds = {{.kind = "read"}}});
  take(std::move(loads));
  const std::string text = metrics_text(collect());
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GT(lines, 900);
  EXPECT_LT(lines, 1600);
}

}  // namespace
}  // namespace stallproof
