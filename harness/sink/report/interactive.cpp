// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/interactive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/sink/report/csv_rows.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint16_t kNone = 0xffff;

std::uint16_t packed(float value) {
  if (std::isnan(value)) return kNone;
  if (!(value > 0)) return 0;
  const double steps = (std::log2(static_cast<double>(value)) + 10) * 900;
  return static_cast<std::uint16_t>(std::clamp(std::lround(steps) + 1, 1L, 65534L));
}

std::string base64(const std::vector<unsigned char>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t group = (static_cast<std::uint32_t>(bytes[i]) << 16U) |
                                (left > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8U : 0U) |
                                (left > 2 ? bytes[i + 2] : 0U);
    out += kDigits[group >> 18U];
    out += kDigits[(group >> 12U) & 63U];
    out += left > 1 ? kDigits[(group >> 6U) & 63U] : '=';
    out += left > 2 ? kDigits[group & 63U] : '=';
  }
  return out;
}

// Second by second; a sampler that drifts over the edge of a second leaves no hole.
std::vector<float> each_second(const std::vector<LoadPoint>& points, const PointValue& value,
                               double span_s) {
  const auto seconds = static_cast<std::size_t>(span_s) + 2;
  std::vector<float> values(seconds, static_cast<float>(kNoNumber));
  for (const LoadPoint& point : points) {
    const auto at = static_cast<std::size_t>(std::lround(std::max(point.t_s, 0.0F)));
    if (at < seconds) values[at] = value(point);
  }
  for (std::size_t i = 1; i + 1 < seconds; ++i)
    if (std::isnan(values[i]) && !std::isnan(values[i - 1]) && !std::isnan(values[i + 1]))
      values[i] = values[i - 1];
  return values;
}

// JSON inside a script element: nothing in it may end that element.
std::string script_safe(const Json& document) {
  std::string out;
  for (const char c : document.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

Json chart_json(const ZoomChart& zoom, double span_s) {
  Json lines = Json::array();
  double width = 1;
  for (const ChartLine& line : zoom.chart->lines) {
    const GridValues grid = grid_values(*zoom.points, line.value, span_s, zoom.limit);
    width = grid.width_s;
    lines.push_back({{"name", line.name},
                     {"color", line.color},
                     {"css", line.css},
                     {"y", packed_values(grid.values)}});
  }
  return {{"id", zoom.id},
          {"load", zoom.load},
          {"unit", zoom.unit},
          {"log", zoom.chart->scale.logarithmic},
          {"low", zoom.chart->scale.low},
          {"high", zoom.chart->scale.high},
          {"height", zoom.chart->height},
          {"width", width},
          {"lines", lines}};
}

}  // namespace

std::string packed_values(const std::vector<float>& values) {
  std::vector<unsigned char> bytes;
  bytes.reserve(values.size() * 2);
  for (const float value : values) {
    const std::uint16_t code = packed(value);
    bytes.push_back(static_cast<unsigned char>(code & 0xffU));
    bytes.push_back(static_cast<unsigned char>(code >> 8U));
  }
  return base64(bytes);
}

GridValues grid_values(const std::vector<LoadPoint>& points, const PointValue& value, double span_s,
                       std::size_t limit) {
  std::vector<float> all = each_second(points, value, std::clamp(span_s, 1.0, 4e7));
  if (all.size() <= limit) return {1, std::move(all)};
  const std::size_t pairs = std::max<std::size_t>(limit / 2, 1);
  const std::size_t bucket = (all.size() + pairs - 1) / pairs;
  GridValues grid{static_cast<double>(bucket) / 2, {}};
  for (std::size_t begin = 0; begin < all.size(); begin += bucket) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = all.begin() + static_cast<std::ptrdiff_t>(std::min(begin + bucket, all.size()));
    auto low = to, high = to;
    for (auto at = from; at != to; ++at) {
      if (std::isnan(*at)) continue;
      if (low == to || *at < *low) low = at;
      if (high == to || *at > *high) high = at;
    }
    if (low == to) {
      grid.values.insert(grid.values.end(), 2, static_cast<float>(kNoNumber));
      continue;
    }
    grid.values.push_back(low < high ? *low : *high);
    grid.values.push_back(low < high ? *high : *low);
  }
  return grid;
}

std::string zoom_elements(const std::vector<ZoomChart>& charts, const TimeAxis& axis,
                          const std::vector<Band>& bands, const std::string& nonce) {
  if (nonce.empty()) return {};
  Json all = Json::array(), marked = Json::array();
  for (const ZoomChart& chart : charts) all.push_back(chart_json(chart, axis.end_s));
  for (const Band& band : bands) {
    if (marked.size() >= 500) break;
    marked.push_back({{"from", band.start_s},
                      {"to", band.end_s},
                      {"color", std::string(band_color(band.kind))},
                      {"load", band.load}});
  }
  const Json document = {{"day_s", axis.day_s ? Json(*axis.day_s) : Json(nullptr)},
                         {"end_s", axis.end_s},
                         {"bands", marked},
                         {"charts", all}};
  return fmt::format(
      "<script type=\"application/json\" id=\"zoom-data\">{}</script>\n"
      "<script nonce=\"{}\">\n/*\n{}*/\n{}\n{}</script>\n",
      script_safe(document), nonce, uplot_licence(), uplot_script(), zoom_script());
}

}  // namespace stallproof
