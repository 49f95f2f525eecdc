// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/live_console.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/sink/json_lines.h"

namespace stallproof {
namespace {

// Figures as a test sets them.
class Given final : public FigureSource {
 public:
  [[nodiscard]] RunFigures read() const override { return figures; }
  RunFigures figures;
};

LoadFigures load(const std::string& name, std::uint64_t ops, std::uint64_t oldest_ns = 0) {
  LoadFigures figures;
  figures.name = name;
  figures.ops = ops;
  figures.oldest_age_ns = oldest_ns;
  return figures;
}

struct Fixture {
  Console console{Console::Options{.quiet = true}};  // nothing is drawn
  LiveConsole live{console, {}};
  std::shared_ptr<Given> source = std::make_shared<Given>();

  void second(Nanos at, std::vector<LoadFigures> loads) {
    source->figures.taken_ns = at;
    source->figures.loads = std::move(loads);
    live.on_pass(at, "armed");
  }
};

TEST(LiveConsole, RatesAreThoseOfTheLastSecond) {
  Fixture run;
  run.live.on_begin({.command = "run", .target = "/mnt", .started_ns = kSecond}, run.source);
  run.second(2 * kSecond, {load("a", 100)});
  ASSERT_EQ(run.live.state().loads.size(), 1U);
  EXPECT_TRUE(run.live.state().loads[0].rates.empty());  // it has just come
  run.second(3 * kSecond, {load("a", 350), load("b", 7)});
  run.second(3 * kSecond + 100 * kMillisecond, {load("a", 999)});  // not due
  const LiveState& state = run.live.state();
  EXPECT_EQ(state.title, "run /mnt");
  EXPECT_EQ(state.phase, "armed");
  EXPECT_DOUBLE_EQ(state.elapsed_s, 2);
  ASSERT_EQ(state.loads.size(), 2U);
  EXPECT_DOUBLE_EQ(state.loads[0].rate.ops_per_s, 250);
  EXPECT_EQ(state.loads[0].rates.size(), 1U);
}

TEST(LiveConsole, HistoryIsBounded) {
  Fixture run;
  run.live.on_begin({.started_ns = 0}, run.source);
  for (Nanos at = 1; at < 200; ++at) run.second(at * kSecond, {load("a", at)});
  EXPECT_EQ(run.live.state().loads[0].rates.size(), kRatesKept);
}

TEST(LiveConsole, LatePassesTakeOneSecondOnly) {
  FigureSeconds seconds;
  const auto source = std::make_shared<Given>();
  seconds.begin(source, 0);
  EXPECT_FALSE(seconds.take_if_due(kSecond - 1));
  EXPECT_TRUE(seconds.take_if_due(7 * kSecond + 1));
  EXPECT_FALSE(seconds.take_if_due(8 * kSecond - 1));
  EXPECT_TRUE(seconds.take_if_due(8 * kSecond));
}

TEST(LiveConsole, NewsAreCounted) {
  Fixture run;
  run.live.on_begin({.started_ns = kSecond}, run.source);
  StallNews stall{.id = "001", .stall_class = "unknown"};
  run.live.on_stall(stall);
  stall.stall_class = "mmap_lock_cycle";
  run.live.on_explained(stall);
  run.live.on_dropout({.workload = "a"});
  run.second(2 * kSecond, {load("a", 0, 5 * kSecond)});
  EXPECT_EQ(run.live.state().stalls, 1U);
  ASSERT_EQ(run.live.state().standing.size(), 1U);
  EXPECT_EQ(run.live.state().standing[0], "mmap_lock_cycle");
  EXPECT_TRUE(run.live.state().dropout_now);
  run.live.on_resolved(stall);
  run.live.on_dropout({.workload = "a", .end_ms = 5.0});
  run.second(3 * kSecond, {load("a", 9)});
  EXPECT_EQ(run.live.state().stalls, 1U);
  EXPECT_TRUE(run.live.state().standing.empty());
  EXPECT_EQ(run.live.state().dropouts, 1U);
  EXPECT_FALSE(run.live.state().dropout_now);
}

TEST(JsonLines, FiguresAreOneObjectOnOneLine) {
  RunFigures before, now;
  before.taken_ns = 5 * kSecond;
  now.taken_ns = 6 * kSecond;
  before.loads = {load("a\"b", 100)};
  now.loads = {load("a\"b", 150, 2 * kSecond), load("new", 3)};
  now.loads[0].latency[2] = 50;
  now.observer.blind_spots = {"line\nend"};
  const std::string text = figures_json(before, now, 4 * kSecond);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto document = nlohmann::json::parse(text);
  EXPECT_EQ(document["event"], "figures");
  EXPECT_EQ(document["t_ms"], 2000.0);
  EXPECT_EQ(document["loads"][0]["load"], "a\"b");
  EXPECT_EQ(document["loads"][0]["ops_per_s"], 50.0);
  EXPECT_EQ(document["loads"][0]["oldest_ms"], 2000.0);
  EXPECT_GT(document["loads"][0]["p99_us_interpolated"], 100.0);
  EXPECT_TRUE(document["loads"][1]["p99_us_interpolated"].is_null());
}

}  // namespace
}  // namespace stallproof
