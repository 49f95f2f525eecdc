// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/live_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace stallproof {
namespace {

constexpr unsigned kShortHistory = 10;  // columns below which no history is worth showing
constexpr unsigned kRateColumns = 8, kSpanColumns = 8, kCountColumns = 10;
constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> kPlainBars{":", "-", "=", "+", "*", "#", "%", "@"};

// Which columns there is room for.
struct Columns {
  unsigned name = 0;
  bool bytes = false, counts = false;
  unsigned history = 0;
};

Columns columns_for(const LiveState& state, unsigned width) {
  Columns columns;
  std::size_t longest = 4;
  for (const LiveLoad& load : state.loads) longest = std::max(longest, load.name.size());
  const unsigned most = width < 60 ? 14 : width < 120 ? 20 : 32;
  columns.name = static_cast<unsigned>(std::min<std::size_t>(longest, most));
  columns.bytes = width >= 60;
  columns.counts = width >= 110;
  const unsigned used = columns.name + kRateColumns + 2 * kSpanColumns +
                        (columns.bytes ? kRateColumns : 0) +
                        (columns.counts ? 2 * kCountColumns : 0) + 2;
  if (width > used + kShortHistory)
    columns.history = std::min<unsigned>(width - 1 - used, kRatesKept);
  return columns;
}

Tone tone_of_age(const LiveState& state, const LiveLoad& load) {
  if (load.oldest_ns >= state.stall_after) return Tone::bad;
  return load.oldest_ns >= state.stall_after / 2 ? Tone::warn : Tone::plain;
}

// The mark is for those who see no colour.
std::string age_text(const LiveState& state, const LiveLoad& load) {
  if (load.oldest_ns == 0) return "-";
  return short_span(static_cast<double>(load.oldest_ns) / 1e9) +
         (load.oldest_ns >= state.stall_after ? "!" : "");
}

// By the highest of what is shown; a second without any operation is a dot.
void add_history(LineWriter& line, const LiveLoad& load, unsigned columns, bool utf8) {
  const std::size_t shown = std::min<std::size_t>(load.rates.size(), columns);
  const auto first = load.rates.end() - static_cast<std::ptrdiff_t>(shown);
  const double highest = shown == 0 ? 0 : *std::max_element(first, load.rates.end());
  std::vector<std::string_view> glyphs;
  for (auto at = first; at != load.rates.end(); ++at) {
    if (*at <= 0) {
      glyphs.emplace_back(".");
      continue;
    }
    const auto level = static_cast<std::size_t>(std::min(7.0, std::floor(*at / highest * 8)));
    glyphs.push_back(utf8 ? kBars[level] : kPlainBars[level]);
  }
  line.add_glyphs(glyphs);
}

TerminalLine heading(const Columns& columns, const TerminalLook& look) {
  LineWriter line(look);
  line.cell("load", columns.name, false, Tone::dim).cell("ops/s", kRateColumns, true, Tone::dim);
  if (columns.bytes) line.cell("MB/s", kRateColumns, true, Tone::dim);
  line.cell("p99~", kSpanColumns, true, Tone::dim).cell("oldest", kSpanColumns, true, Tone::dim);
  if (columns.counts)
    line.cell("in flight", kCountColumns, true, Tone::dim)
        .cell("errors", kCountColumns, true, Tone::dim);
  if (columns.history > 0) line.add("  ").add(fmt::format("last {} s", columns.history), Tone::dim);
  return line.take();
}

TerminalLine row(const LiveState& state, const LiveLoad& load, const Columns& columns,
                 const TerminalLook& look) {
  LineWriter line(look);
  const Tone tone = tone_of_age(state, load);
  line.cell(load.name, columns.name, false, tone == Tone::bad ? Tone::bad : Tone::plain);
  line.cell(short_count(load.rate.ops_per_s), kRateColumns, true);
  if (columns.bytes)
    line.cell(load.own ? short_count(load.rate.bytes_per_s / 1e6) : "-", kRateColumns, true);
  line.cell(load.rate.p99_us ? short_span(*load.rate.p99_us / 1e6) : "-", kSpanColumns, true);
  line.cell(age_text(state, load), kSpanColumns, true, tone);
  if (columns.counts)
    line.cell(fmt::format("{}", load.in_flight), kCountColumns, true)
        .cell(fmt::format("{}", load.errors), kCountColumns, true,
              load.errors > 0 ? Tone::warn : Tone::plain);
  if (columns.history > 0) {
    line.add("  ");
    add_history(line, load, columns.history, look.utf8);
  }
  return line.take();
}

std::string whole_seconds(double seconds) {
  return seconds < 99.5 ? fmt::format("{:.0f}s", std::max(0.0, seconds)) : short_span(seconds);
}

std::string times_text(const LiveState& state) {
  std::string text = whole_seconds(state.elapsed_s);
  if (!state.planned_s) return text;
  text += fmt::format(" of {}", whole_seconds(*state.planned_s));
  if (*state.planned_s > state.elapsed_s)
    text += fmt::format(", {} left", whole_seconds(*state.planned_s - state.elapsed_s));
  return text;
}

TerminalLine title_line(const LiveState& state, const TerminalLook& look) {
  LineWriter line(look);
  line.add(state.title, Tone::bold).add("  ").add(times_text(state));
  if (!state.phase.empty()) line.add("  ").add(state.phase);
  return line.take();
}

void add_counts(LineWriter& line, const LiveState& state) {
  const Tone tone = state.standing.empty() ? Tone::plain : Tone::bad;
  line.add(fmt::format("{} stall{}", state.stalls, state.stalls == 1 ? "" : "s"), tone);
  if (!state.standing.empty()) {
    std::string classes;
    for (const std::string& each : state.standing) classes += (classes.empty() ? "" : ", ") + each;
    line.add(", standing: " + classes, Tone::bad);
  }
  line.add("  ").add(fmt::format("{} dropout{}", state.dropouts, state.dropouts == 1 ? "" : "s"),
                     state.dropout_now ? Tone::warn : Tone::plain);
  if (!state.blind.empty()) line.add("  ").add("NOT SEEING: " + state.blind, Tone::bad);
}

// Those that stand longest first, where not all can be shown.
std::vector<const LiveLoad*> loads_shown(const LiveState& state, std::size_t most) {
  std::vector<const LiveLoad*> loads;
  for (const LiveLoad& load : state.loads) loads.push_back(&load);
  if (loads.size() <= most) return loads;
  std::stable_sort(loads.begin(), loads.end(), [](const LiveLoad* one, const LiveLoad* other) {
    return one->oldest_ns > other->oldest_ns;
  });
  loads.resize(most);
  return loads;
}

}  // namespace

std::string short_count(double value) {
  if (value < 99.95 && value != std::floor(value)) return fmt::format("{:.1f}", value);
  if (value < 9999.5) return fmt::format("{:.0f}", value);
  constexpr std::array<char, 4> kUnits{'k', 'M', 'G', 'T'};
  std::size_t unit = 0;
  for (value /= 1e3; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1e3;
  return fmt::format("{:.1f}{}", value, kUnits[unit]);
}

std::string short_span(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 0.01) return fmt::format("{:.1f}ms", seconds * 1e3);
  if (seconds < 0.9995) return fmt::format("{:.0f}ms", seconds * 1e3);
  if (seconds < 99.95) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 6000) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

TerminalLine live_line(const LiveState& state, const TerminalLook& look) {
  LineWriter line(look);
  line.add(whole_seconds(state.elapsed_s)).add("  ");
  add_counts(line, state);
  for (const LiveLoad* load : loads_shown(state, 3))
    line.add(fmt::format("  {} {}/s", load->name, short_count(load->rate.ops_per_s)))
        .add(fmt::format(" oldest {}", age_text(state, *load)), tone_of_age(state, *load));
  if (!state.phase.empty()) line.add("  ").add(state.phase);
  return line.take();
}

std::vector<TerminalLine> live_lines(const LiveState& state, const TerminalLook& look) {
  constexpr unsigned kOtherLines = 3;  // title, counts, heading
  if (look.height < kOtherLines + 3) return {live_line(state, look)};
  const std::size_t room = look.height - 1 - kOtherLines;
  const std::size_t most = state.loads.size() > room ? room - 1 : room;
  const Columns columns = columns_for(state, look.width);
  std::vector<TerminalLine> lines{title_line(state, look)};
  LineWriter counts(look);
  add_counts(counts, state);
  lines.push_back(counts.take());
  if (state.loads.empty()) return lines;
  lines.push_back(heading(columns, look));
  for (const LiveLoad* load : loads_shown(state, most))
    lines.push_back(row(state, *load, columns, look));
  if (state.loads.size() > most) {
    LineWriter rest(look);
    rest.add(fmt::format("and {} more loads", state.loads.size() - most), Tone::dim);
    lines.push_back(rest.take());
  }
  return lines;
}

}  // namespace stallproof
