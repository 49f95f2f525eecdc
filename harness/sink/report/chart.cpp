// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "harness/base/markup.h"

namespace stallproof {
namespace {

constexpr std::size_t kBandsDrawn = 60;  // of one chart: more are not told apart on a page

std::string grid_lines(const ValueScale& scale, int height) {
  std::string path;
  const auto line = [&](double share) {
    const int y = static_cast<int>(std::lround((1 - share) * (height - 2))) + 1;
    fmt::format_to(std::back_inserter(path), "M0 {}h{:.0f}", y, kChartWidth);
  };
  if (scale.logarithmic)
    for (double at = scale.low * 10; at < scale.high * 0.99; at *= 10) line(scale.share(at));
  else
    line(0.5);
  return path.empty() ? path
                      : fmt::format(
                            "<path class=\"grid\" fill=\"none\" stroke=\"#9ca3af\" "
                            "stroke-opacity=\".4\" vector-effect=\"non-scaling-stroke\" "
                            "d=\"{}\"/>\n",
                            path);
}

std::string band_rect(const Band& band, const TimeAxis& axis, int height) {
  const double from = std::clamp(axis.column(band.start_s), 0.0, kChartWidth);
  // A short one is still to be seen.
  const double wide = std::max(std::clamp(axis.column(band.end_s), 0.0, kChartWidth) - from, 1.5);
  return fmt::format(
      "<rect class=\"b-{}\" x=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
      "fill=\"{}\" fill-opacity=\"{}\"><title>{}</title></rect>\n",
      escaped_markup(band.kind), from, wide, height, band_color(band.kind),
      band.kind == "stall" ? ".45" : ".25", escaped_markup(band.text));
}

std::string band_rects(const std::vector<Band>& bands, const TimeAxis& axis, int height) {
  std::string out;
  std::size_t drawn = 0;
  for (const Band& band : bands) {
    if (band.end_s < axis.begin_s || band.start_s > axis.end_s) continue;
    if (++drawn > kBandsDrawn) break;
    out += band_rect(band, axis, height);
  }
  return out;
}

}  // namespace

std::string_view band_color(std::string_view kind) {
  struct KindColor {
    std::string_view kind, color;
  };
  constexpr std::array kColors{KindColor{"stall", "#dc2626"},     KindColor{"dropout", "#f59e0b"},
                               KindColor{"injection", "#a855f7"}, KindColor{"canary", "#14b8a6"},
                               KindColor{"mark", "#3b82f6"},      KindColor{"gap", "#6b7280"},
                               KindColor{"capture", "#84cc16"}};
  for (const KindColor& each : kColors)
    if (each.kind == kind) return each.color;
  return "#6b7280";
}

std::string draw_chart(const Chart& chart, const std::vector<LoadPoint>& points,
                       const TimeAxis& axis, const std::vector<Band>& bands) {
  std::string out = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {0:.0f} {1}\" width=\"100%\" height=\"{1}\" "
      "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{2}\">\n",
      kChartWidth, chart.height, escaped_markup(chart.title));
  out += band_rects(bands, axis, chart.height) + grid_lines(chart.scale, chart.height);
  for (const ChartLine& line : chart.lines) {
    const std::string path = trace_path(points, line.value, axis, chart.scale, chart.height);
    if (path.empty()) continue;
    out += fmt::format(
        "<path class=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.2\" "
        "stroke-linejoin=\"round\" vector-effect=\"non-scaling-stroke\" "
        "d=\"{}\"/>\n",
        line.css, line.color, path);
  }
  return out + "</svg>\n";
}

std::string draw_heat(const HeatGrid& heat, const std::string& title) {
  constexpr int kLevels = 6;
  constexpr std::array kShade{".1", ".24", ".4", ".58", ".78", "1"};
  const int rows = heat.last_class() - heat.first_class() + 1;
  const double largest = heat.largest();
  std::array<std::string, kLevels> paths;
  std::array<std::array<int, 2>, kLevels> pens{};  // where each path ended
  const auto level_of = [&](std::size_t column, int latency_class) {
    const double count = heat.count(column, latency_class);
    if (!(count > 0)) return -1;
    // Each shade is a quarter of the next darker one; what is rarer still keeps the lightest.
    const int steps = static_cast<int>(std::log(largest / count) / std::log(4.0));
    return std::max(0, kLevels - 1 - steps);
  };
  for (int row = 0; row < rows; ++row) {
    const int latency_class = heat.last_class() - row;
    for (std::size_t column = 0; column < HeatGrid::kColumns;) {
      const int level = level_of(column, latency_class);
      std::size_t end = column + 1;
      while (end < HeatGrid::kColumns && level_of(end, latency_class) == level) ++end;
      if (level >= 0) {
        const auto which = static_cast<std::size_t>(level);
        const int x = static_cast<int>(column), length = static_cast<int>(end - column);
        fmt::format_to(std::back_inserter(paths[which]), "m{} {}h{}", x - pens[which][0],
                       row - pens[which][1], length);
        pens[which] = {x + length, row};
      }
      column = end;
    }
  }
  std::string out = fmt::format(
      "<svg class=\"heat\" viewBox=\"0 -.5 {} {}\" width=\"100%\" height=\"{}\" "
      "preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\" role=\"img\" "
      "aria-label=\"{}\">\n",
      HeatGrid::kColumns, rows, std::clamp(rows * 6, 48, 160), escaped_markup(title));
  for (std::size_t level = 0; level < kLevels; ++level)
    if (!paths[level].empty())
      out += fmt::format(
          "<path class=\"h\" fill=\"none\" stroke=\"#1d4ed8\" "
          "stroke-opacity=\"{}\" d=\"M0 0{}\"/>\n",
          kShade[level], paths[level]);
  return out + "</svg>\n";
}

}  // namespace stallproof
