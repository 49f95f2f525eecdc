// SPDX-License-Identifier: Apache-2.0
// What turns the static charts into ones with zoom and cursor where scripts run: uPlot, our script
// and the points. Pure. Without uPlot at build time there is nothing of it, and the page is whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/sink/report/chart.h"

namespace stallproof {

// Embedded at build time.
std::string_view report_style();
std::string_view uplot_script();  // empty: it was not there
std::string_view uplot_style();
std::string_view zoom_script();
std::string_view uplot_licence();

// Values as 16-bit logarithms in base64, 0.08 % apart: 0 is zero, 65535 no value.
std::string packed_values(const std::vector<float>& values);

// On an even grid of `width_s` seconds from 0 on. Of more than `limit` points the smallest and the
// largest of each pair of places is kept, in their order.
struct GridValues {
  double width_s = 1;
  std::vector<float> values;
};
GridValues grid_values(const std::vector<LoadPoint>& points, const PointValue& value, double span_s,
                       std::size_t limit);

// A chart that can be zoomed: the id of the element that holds the static one, and its points.
struct ZoomChart {
  std::string id;
  std::string load;
  std::string unit;
  const Chart* chart = nullptr;
  const std::vector<LoadPoint>* points = nullptr;
  std::size_t limit = 0;  // points of each line
};

// The script elements that end the page; empty without a nonce.
std::string zoom_elements(const std::vector<ZoomChart>& charts, const TimeAxis& axis,
                          const std::vector<Band>& bands, const std::string& nonce);

}  // namespace stallproof
