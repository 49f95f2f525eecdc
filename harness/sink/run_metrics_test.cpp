// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/run_metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/sink/metrics_text.h"

namespace stallproof {
namespace {

// Each reading finds ten operations more.
class Source final : public FigureSource {
 public:
  [[nodiscard]] RunFigures read() const override {
    RunFigures figures{.taken_ns = monotonic_now()};
    figures.loads.push_back({.name = "reader", .ops = 10 * ++readings});
    return figures;
  }
  mutable std::atomic<std::uint64_t> readings = 0;
};

class RunMetricsTest : public testing::Test {
 protected:
  RunMetricsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "metrics-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RunMetricsTest() override { std::filesystem::remove_all(folder_); }

  void begin(RunMetrics& metrics) {
    metrics.on_begin({.run = "r", .dir = folder_, .command = "run", .started_ns = monotonic_now()},
                     source_);
  }
  [[nodiscard]] std::string written(const std::string& file) const {
    std::ifstream stream(folder_ + "/" + file);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  std::string folder_;
  std::shared_ptr<Source> source_ = std::make_shared<Source>();
};

TEST_F(RunMetricsTest, FilesHoldTheVerdict) {
  RunMetrics metrics(folder_ + "/other.prom");
  begin(metrics);
  metrics.on_verdict({.outcome = Outcome::fail});
  for (const char* file : {"stallproof.prom", "other.prom"})
    EXPECT_NE(written(file).find("stallproof_run_verdict{verdict=\"fail\"} 1\n"), std::string::npos)
        << file;
  EXPECT_EQ(metrics.problem(), "");
}

TEST_F(RunMetricsTest, ALinkToAFileStaysALink) {
  const std::string link = folder_ + "/link.prom";
  std::filesystem::create_symlink("real.prom", link);
  RunMetrics metrics(link);
  begin(metrics);
  metrics.on_verdict({.outcome = Outcome::pass});
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_NE(written("real.prom").find("stallproof_run_active 0\n"), std::string::npos);
}

TEST_F(RunMetricsTest, WhatCannotBeWrittenIsTold) {
  RunMetrics metrics("/nowhere/at/all.prom");
  begin(metrics);
  metrics.finish();
  EXPECT_NE(metrics.problem().find("/nowhere/at/all.prom"), std::string::npos);
  EXPECT_FALSE(written("stallproof.prom").empty());
}

TEST_F(RunMetricsTest, ScrapesThatFollowEachOtherReadTheFiguresOnce) {
  RunMetrics metrics;
  begin(metrics);
  const auto wait = Deadline::in(5 * kSecond);
  while (written("stallproof.prom").empty() && !wait.passed()) continue;
  const std::uint64_t before = source_->readings;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(metrics.collect().empty());
  EXPECT_LE(source_->readings, before + 3);
}

TEST_F(RunMetricsTest, NewsOfAllKindsAreCounted) {
  RunMetrics metrics;
  begin(metrics);
  metrics.on_stall({.id = "001", .stall_class = "unknown", .sources = {"stuck-op"}});
  metrics.on_explained({.id = "001", .stall_class = "device_stuck"});
  metrics.on_dropout({.workload = "reader", .start_ms = 0});
  metrics.on_capture({.incident = "001", .kind = "sysrq", .taken = true});
  metrics.on_blind("gap");
  metrics.on_window(true);
  metrics.on_mark({.text = "failover", .start_ms = 0, .end_ms = 60'000, .allow_ms = 20'000});
  metrics.on_health({.left_behind = 1, .unkillable = 1});
  const std::string text = metrics_text(metrics.collect());
  for (const char* line :
       {"stallproof_stalls_detected_total{source=\"stuck-op\"} 1\n",
        "stallproof_stall_active{class=\"device_stuck\"} 1\n",
        "stallproof_dropouts_total{workload=\"reader\",severity=\"stopped\"} 1\n",
        "stallproof_capture_total{kind=\"sysrq\",result=\"taken\"} 1\n",
        "stallproof_sight_lost_total 1\n", "stallproof_injection_active{nemesis=\"canary\"} 1\n",
        "stallproof_injection_active{nemesis=\"mark\"} 1\n", "stallproof_mark_allowed_seconds 20\n",
        "stallproof_unkillable_children 1\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  metrics.on_resolved({.id = "001", .stall_class = "device_stuck", .resolved_ms = 5});
  metrics.on_window(false);
  const std::string after = metrics_text(metrics.collect());
  EXPECT_NE(after.find("stallproof_stall_active{class=\"device_stuck\"} 0\n"), std::string::npos);
  EXPECT_NE(after.find("stallproof_injection_active{nemesis=\"canary\"} 0\n"), std::string::npos);
}

TEST_F(RunMetricsTest, SignalThatEndedTheRunIsRemembered) {
  RunMetrics metrics;
  EXPECT_FALSE(metrics.begun());
  begin(metrics);
  EXPECT_TRUE(metrics.begun());
  metrics.on_verdict({.reasons = {"interrupted"}});
  EXPECT_TRUE(metrics.interrupted());
}

TEST_F(RunMetricsTest, RunWithoutAVerdictLeavesAFileThatSaysSo) {
  {
    RunMetrics metrics;
    begin(metrics);
  }
  EXPECT_NE(written("stallproof.prom").find("stallproof_run_verdict{verdict=\"pass\"} 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace stallproof
