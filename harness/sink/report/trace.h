// SPDX-License-Identifier: Apache-2.0
// A series as one short SVG path: per column of the chart the smallest and the largest value, so
// that no dropout and no peak is lost, however many points there are. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/sink/report/run_contents.h"
#include "harness/sink/report/time_axis.h"

namespace stallproof {

// Values along a chart's height: 0 at the bottom. A logarithmic one begins at its `low`.
struct ValueScale {
  double low = 0, high = 1;
  bool logarithmic = false;
  [[nodiscard]] double share(double value) const;  // 0..1
};

// From 0 to a round number that holds all.
ValueScale linear_scale(double largest);
// From power of ten to power of ten.
ValueScale log_scale(double smallest, double largest);

using PointValue = std::function<float(const LoadPoint& point)>;

struct TraceColumn {
  int x = 0;
  float low = 0, high = 0;
};

// Columns that have a value, left to right. NaN is no value.
std::vector<TraceColumn> columns_of(const std::vector<LoadPoint>& points, const PointValue& value,
                                    const TimeAxis& axis);

// The `d` of a path in a box of kChartWidth x height. Where no value was for several seconds the
// line is broken.
std::string trace_path(const std::vector<LoadPoint>& points, const PointValue& value,
                       const TimeAxis& axis, const ValueScale& scale, int height);

}  // namespace stallproof
