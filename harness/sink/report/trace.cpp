// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace stallproof {
namespace {

// Relative steps, and nothing where nothing moves: a quarter of the bytes of absolute points.
class PathWriter {
 public:
  void move(int x, int y) {
    fmt::format_to(std::back_inserter(path_), "M{} {}", x, y);
    x_ = x;
    y_ = y;
  }
  void line(int x, int y) {
    const int dx = x - x_, dy = y - y_;
    if (dx == 0 && dy == 0) return;
    if (dy == 0)
      fmt::format_to(std::back_inserter(path_), "h{}", dx);
    else if (dx == 0)
      fmt::format_to(std::back_inserter(path_), "v{}", dy);
    else
      fmt::format_to(std::back_inserter(path_), "l{}{}{}", dx, dy < 0 ? "" : " ", dy);
    x_ = x;
    y_ = y;
  }
  [[nodiscard]] int y() const { return y_; }
  std::string take() { return std::move(path_); }

 private:
  std::string path_;
  int x_ = 0, y_ = 0;
};

// More columns than this without a value are a hole, not a slow sampler.
int widest_step(const std::vector<LoadPoint>& points, const TimeAxis& axis) {
  if (points.size() < 2) return 1;
  const double all = static_cast<double>(points.back().t_s - points.front().t_s);
  const double usual = all / static_cast<double>(points.size() - 1);
  return static_cast<int>(std::ceil(axis.column(axis.begin_s + 3.5 * usual))) + 1;
}

}  // namespace

double ValueScale::share(double value) const {
  const double part = logarithmic ? std::log(std::max(value, low) / low) / std::log(high / low)
                                  : (value - low) / (high - low);
  return std::clamp(part, 0.0, 1.0);
}

ValueScale linear_scale(double largest) {
  if (!(largest > 0)) return {0, 1, false};
  const double power = std::pow(10, std::floor(std::log10(largest)));
  for (const double step : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (largest <= step * power) return {0, step * power, false};
  return {0, 10 * power, false};
}

ValueScale log_scale(double smallest, double largest) {
  if (!(largest > 0)) return {1, 10, true};
  if (!(smallest > 0)) smallest = largest;
  const double low = std::pow(10, std::floor(std::log10(smallest) + 1e-9));
  double high = std::pow(10, std::ceil(std::log10(largest) - 1e-9));
  if (high <= low) high = low * 10;
  return {low, high, true};
}

std::vector<TraceColumn> columns_of(const std::vector<LoadPoint>& points, const PointValue& value,
                                    const TimeAxis& axis) {
  std::vector<TraceColumn> columns;
  for (const LoadPoint& point : points) {
    const float found = value(point);
    const double at = static_cast<double>(point.t_s);
    if (std::isnan(found) || at < axis.begin_s || at > axis.end_s) continue;
    const int x = static_cast<int>(axis.column(at));
    if (columns.empty() || columns.back().x != x) {
      columns.push_back({x, found, found});
      continue;
    }
    columns.back().low = std::min(columns.back().low, found);
    columns.back().high = std::max(columns.back().high, found);
  }
  return columns;
}

std::string trace_path(const std::vector<LoadPoint>& points, const PointValue& value,
                       const TimeAxis& axis, const ValueScale& scale, int height) {
  PathWriter path;
  const int hole = widest_step(points, axis);
  int last = -hole - 1;
  for (const TraceColumn& column : columns_of(points, value, axis)) {
    const auto place = [&](float found) {
      return static_cast<int>(
                 std::lround((1 - scale.share(static_cast<double>(found))) * (height - 2))) +
             1;
    };
    int first = place(column.high), second = place(column.low);
    const bool begins = column.x - last > hole;
    if (!begins && std::abs(path.y() - second) < std::abs(path.y() - first))
      std::swap(first, second);
    if (begins)
      path.move(column.x, first);
    else
      path.line(column.x, first);
    path.line(column.x, second);
    // A lone point would have no length and not be seen.
    if (begins && first == second) path.line(column.x + 1, second);
    last = column.x;
  }
  return path.take();
}

}  // namespace stallproof
