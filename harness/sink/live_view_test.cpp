// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/live_view.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

LiveState two_loads() {
  LiveState state;
  state.title = "repro mmap-lock-fault";
  state.phase = "armed";
  state.elapsed_s = 12.4;
  state.planned_s = 60;
  state.loads.push_back({.name = "mapped-fault",
                         .rate = {.ops_per_s = 12345, .bytes_per_s = 50.6e6, .p99_us = 840.0},
                         .rates = {0, 1, 50, 100},
                         .in_flight = 4,
                         .oldest_ns = 2 * kMillisecond});
  state.loads.push_back(
      {.name = "direct-reader", .rates = {5, 0, 0}, .in_flight = 9, .oldest_ns = 3 * kSecond});
  return state;
}

std::string text_of(const std::vector<TerminalLine>& lines) {
  std::string text;
  for (const TerminalLine& line : lines) text += line.text + "\n";
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(LiveView, ShowsWhatIsAskedOfIt) {
  const std::string text = text_of(live_lines(two_loads(), {.width = 80}));
  for (const char* part : {"repro mmap-lock-fault", "12s of 60s, 48s left", "armed", "0 stalls",
                           "0 dropouts", "load", "ops/s", "MB/s", "p99~", "oldest", "mapped-fault",
                           "12.3k", "50.6", "840us", "2.0ms", "3.0s!"})
    EXPECT_TRUE(has(text, part)) << part << " in\n" << text;
  EXPECT_FALSE(has(text, "\033")) << text;
}

TEST(LiveView, NoLineReachesTheWidth) {
  LiveState state = two_loads();
  state.blind = "the watchdog gives no sign of life";
  state.standing = {"mmap_lock_cycle"};
  for (unsigned width = 1; width <= 220; ++width)
    for (const TerminalLine& line : live_lines(state, {.width = width, .utf8 = true}))
      EXPECT_LT(line.columns, width == 1 ? 2U : width);
}

TEST(LiveView, NarrowTerminalsShowFewerColumns) {
  const std::string narrow = text_of(live_lines(two_loads(), {.width = 40}));
  EXPECT_TRUE(has(narrow, "ops/s") && has(narrow, "p99~") && has(narrow, "oldest")) << narrow;
  EXPECT_TRUE(has(narrow, "3.0s!")) << narrow;
  EXPECT_FALSE(has(narrow, "MB/s") || has(narrow, "last")) << narrow;
  const std::string wide = text_of(live_lines(two_loads(), {.width = 200}));
  EXPECT_TRUE(has(wide, "MB/s") && has(wide, "in flight") && has(wide, "last 60 s")) << wide;
}

TEST(LiveView, LowTerminalsShowTheLoadsThatStand) {
  LiveState state = two_loads();
  for (int i = 0; i < 20; ++i) state.loads.insert(state.loads.begin(), LiveLoad{.name = "idle"});
  for (unsigned height = 1; height < 30; ++height) {
    const auto lines = live_lines(state, {.width = 80, .height = height});
    EXPECT_LE(lines.size(), std::max(1U, height - 1));
    EXPECT_TRUE(has(text_of(lines), "direct-reader")) << height;
  }
  EXPECT_TRUE(has(text_of(live_lines(state, {.width = 80, .height = 10})), "and 17 more loads"));
}

TEST(LiveView, AgeIsHighlightedFromStallAfterOn) {
  LiveState state = two_loads();
  const TerminalLook look{.width = 80, .colour = true};
  EXPECT_TRUE(has(text_of(live_lines(state, look)), "\033[1;31m3.0s!"));
  state.stall_after = 4 * kSecond;
  EXPECT_TRUE(has(text_of(live_lines(state, look)), "\033[33m3.0s\033"));
  state.stall_after = 10 * kSecond;
  EXPECT_TRUE(has(text_of(live_lines(state, look)), " 3.0s"));
}

TEST(LiveView, HistoryShowsSecondsWithoutOperations) {
  const std::string bars = text_of(live_lines(two_loads(), {.width = 80, .utf8 = true}));
  EXPECT_TRUE(has(bars, ".▁▅█")) << bars;
  EXPECT_TRUE(has(bars, "█..")) << bars;
  const std::string plain = text_of(live_lines(two_loads(), {.width = 80}));
  EXPECT_TRUE(has(plain, ".:*@") || has(plain, ".:+@")) << plain;
}

TEST(LiveView, StandingStallsAndLostSightAreNamed) {
  LiveState state = two_loads();
  state.stalls = 1;
  state.standing = {"mmap_lock_cycle"};
  state.dropouts = 2;
  state.blind = "the watchdog ended";
  const std::string text = text_of(live_lines(state, {.width = 100}));
  EXPECT_TRUE(has(text, "1 stall, standing: mmap_lock_cycle  2 dropouts")) << text;
  EXPECT_TRUE(has(text, "NOT SEEING: the watchdog ended")) << text;
}

TEST(LiveView, NumbersStayShort) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(0.25), "0.2");
  EXPECT_EQ(short_count(9999), "9999");
  EXPECT_EQ(short_count(12345), "12.3k");
  EXPECT_EQ(short_count(9.99e5), "999.0k");
  EXPECT_EQ(short_count(1.234e9), "1.2G");
  EXPECT_EQ(short_span(85e-6), "85us");
  EXPECT_EQ(short_span(0.0012), "1.2ms");
  EXPECT_EQ(short_span(0.25), "250ms");
  EXPECT_EQ(short_span(3.44), "3.4s");
  EXPECT_EQ(short_span(125), "2m05s");
  EXPECT_EQ(short_span(7260), "2h01m");
}

}  // namespace
}  // namespace stallproof
