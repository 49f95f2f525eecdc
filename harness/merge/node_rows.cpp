// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/node_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/markup.h"
#include "harness/base/units.h"
#include "harness/gate/gate_words.h"
#include "harness/sink/report/chart.h"

namespace stallproof {
namespace {

constexpr int kStateHeight = 12, kSpeedHeight = 26;
constexpr std::size_t kMostRects = 250;  // of one row

enum StateIndex { kRan, kDropout, kResolved, kFailing, kDied, kNothing };

const char* color_of(StateIndex state) { return state_colors()[state].color; }

std::string rect(double from_s, double to_s, StateIndex state, const std::string& text,
                 const TimeAxis& axis) {
  const double from = std::clamp(axis.column(from_s), 0.0, kChartWidth);
  const double to = std::clamp(axis.column(to_s), 0.0, kChartWidth);
  // A short one is still to be seen.
  const double wide = std::max(to - from, 1.5);
  return fmt::format(
      "<rect x=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"><title>{}</title></rect>\n",
      std::min(from, kChartWidth - 1.5), wide, kStateHeight, color_of(state), escaped_markup(text));
}

std::string row_svg(int height, const std::string& label, const std::string& inside) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {1}\" width=\"100%\" height=\"{1}\" preserveAspectRatio=\"none\" "
      "role=\"img\" aria-label=\"{2}\">\n{3}</svg>\n",
      kChartWidth, height, escaped_markup(label), inside);
}

// Where the node lies on the axis, in seconds.
double start_s(const Merged& merged, const MergedNode& node) {
  return (*node.begin_ms - merged.begin_ms) / 1e3;
}

std::string stall_rects(const Merged& merged, const MergedNode& node, const TimeAxis& axis) {
  const Verdict& verdict = node.result.verdict;
  const double start = start_s(merged, node);
  std::string out;
  std::size_t drawn = 0;
  for (const DropoutEntry& dropout : verdict.dropouts) {
    if (++drawn > kMostRects) break;
    const double from = start + dropout.start_ms / 1e3;
    out += rect(from, from + dropout.duration_ms / 1e3, kDropout,
                fmt::format("dropout of {} for {}", one_line(dropout.workload),
                            span_words(dropout.duration_ms / 1e3)),
                axis);
  }
  // Failing ones last, on top.
  for (const bool failing : {false, true})
    for (const StallEntry& stall : verdict.stalls) {
      if (stall.failing != failing || ++drawn > 2 * kMostRects) continue;
      const double end =
          stall.resolved_ms ? start + *stall.resolved_ms / 1e3 : start + verdict.duration_s;
      out +=
          rect(start + stall.onset_ms / 1e3, end, failing ? kFailing : kResolved,
               fmt::format("incident {}: {}", one_line(stall.id), one_line(stall.signature)), axis);
    }
  return out;
}

std::string label_of(const MergedNode& node) {
  return fmt::format("{}: {}{}, {}, {} failing", one_line(node.name),
                     node.standing == Standing::counted ? outcome_name(node.result.verdict.outcome)
                                                        : standing_word(node.standing),
                     node.why.empty() ? "" : " (" + one_line(node.why) + ")",
                     counted(node.result.stalls, "stall"), node.result.failing_stalls);
}

std::vector<LoadPoint> points_of(const Activity& activity, const TimeAxis& axis) {
  std::vector<LoadPoint> points;
  const double width = (axis.end_s - axis.begin_s) / kActivityColumns;
  for (std::size_t i = 0; i < kActivityColumns; ++i) {
    const ActivityColumn& column = activity.columns[i];
    if (std::isnan(column.low)) continue;
    const double at = axis.begin_s + width * static_cast<double>(i);
    LoadPoint low, high;
    low.t_s = static_cast<float>(at + width / 3);
    low.per_second = column.low;
    high.t_s = static_cast<float>(at + width * 2 / 3);
    high.per_second = column.high;
    points.push_back(low);
    points.push_back(high);
  }
  return points;
}

}  // namespace

const std::vector<StateColor>& state_colors() {
  static const std::vector<StateColor> colors{
      {"ran", "#86efac"},           {"dropout", "#fde047"}, {"stall that resolved", "#fb923c"},
      {"failing stall", "#b91c1c"}, {"died", "#374151"},    {"no result that counts", "#cbd5e1"}};
  return colors;
}

TimeAxis fleet_axis(const Merged& merged) {
  TimeAxis axis;
  axis.end_s = std::max(1.0, (merged.end_ms - merged.begin_ms) / 1e3);
  if (merged.begin_ms > 0 && merged.begin_ms < kMostUnixMs)
    axis.day_s = seconds_of_day(format_rfc3339(static_cast<Nanos>(merged.begin_ms) * kMillisecond));
  return axis;
}

std::string state_row(const Merged& merged, std::size_t at, const TimeAxis& axis) {
  const MergedNode& node = merged.nodes[at];
  const std::string why = one_line(node.why);
  if (!node.begin_ms)
    return row_svg(
        kStateHeight, label_of(node),
        rect(axis.begin_s, axis.end_s, node.standing == Standing::died ? kDied : kNothing,
             why.empty() ? "when it ran is not known" : why, axis));
  const double start = start_s(merged, node);
  const double end = start + node.result.verdict.duration_s;
  std::string inside = rect(start, end, kRan, "ran", axis) + stall_rects(merged, node, axis);
  if (node.standing == Standing::died) inside += rect(end, axis.end_s, kDied, why, axis);
  if (node.standing == Standing::unfinished) inside += rect(end, axis.end_s, kNothing, why, axis);
  return row_svg(kStateHeight, label_of(node), inside);
}

std::string speed_row(const Merged& merged, std::size_t at, const Activity& activity,
                      const TimeAxis& axis, const ValueScale& scale) {
  const MergedNode& node = merged.nodes[at];
  const std::vector<LoadPoint> points = points_of(activity, axis);
  if (points.empty() || !node.begin_ms) return "<span>no series</span>";
  Chart chart;
  chart.title = fmt::format("operations per second of {}", one_line(node.name));
  chart.scale = scale;
  chart.height = kSpeedHeight;
  chart.lines = {
      {"ops/s", "rate", "#2563eb", [](const LoadPoint& point) { return point.per_second; }}};
  std::vector<Band> bands;
  const double start = start_s(merged, node);
  for (const StallEntry& stall : node.result.verdict.stalls)
    bands.push_back({start + stall.onset_ms / 1e3,
                     stall.resolved_ms ? start + *stall.resolved_ms / 1e3
                                       : start + node.result.verdict.duration_s,
                     "stall",
                     "incident " + one_line(stall.id),
                     {}});
  return draw_chart(chart, points, axis, bands);
}

ValueScale speed_scale(const std::vector<Activity>& activities) {
  double largest = 0;
  for (const Activity& activity : activities)
    for (const ActivityColumn& column : activity.columns)
      if (column.high > 0) largest = std::max(largest, static_cast<double>(column.high));
  return linear_scale(largest);
}

}  // namespace stallproof
