// SPDX-License-Identifier: Apache-2.0
// Charts as SVG: complete without script and style sheet, as wide as the page lets them be. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/sink/report/heat_grid.h"
#include "harness/sink/report/trace.h"

namespace stallproof {

// A time that is marked behind the lines.
struct Band {
  double start_s = 0, end_s = 0;
  std::string kind;  // stall, dropout, injection, canary, mark, gap, capture
  std::string text;  // shown where it is pointed at
  std::string load;  // only in this load's charts; empty: in all
};

struct ChartLine {
  std::string name;   // "p99"
  std::string css;    // class: a page may choose another colour
  std::string color;  // without a style sheet
  PointValue value;
};

struct Chart {
  std::string title;  // what it shows, for who cannot see it
  ValueScale scale;
  int height = 90;
  std::vector<ChartLine> lines;
};

std::string draw_chart(const Chart& chart, const std::vector<LoadPoint>& points,
                       const TimeAxis& axis, const std::vector<Band>& bands);

// Columns are time, rows latency (high above low), darker is more.
std::string draw_heat(const HeatGrid& heat, const std::string& title);

// The colour of a kind of band, for the legend.
std::string_view band_color(std::string_view kind);

}  // namespace stallproof
