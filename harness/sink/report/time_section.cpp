// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <set>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kLoadsDrawn = 12;
// Points that may be embedded for zooming: 0.9 MB of a page of at most 1.3 MB, most of them for
// throughput, where a dropout of a second must be found again.
constexpr std::size_t kRatePoints = 185'000, kOtherPoints = 140'000;

float rate_of(const LoadPoint& point) { return point.per_second; }
float p50_of(const LoadPoint& point) { return point.p50_us; }
float p99_of(const LoadPoint& point) { return point.p99_us; }
float max_of(const LoadPoint& point) { return point.max_us; }
float oldest_of(const LoadPoint& point) { return point.oldest_ms; }

struct Extent {
  double low = 0, high = 0;  // low: the smallest that is not 0
};

Extent extent_of(const std::vector<LoadPoint>& points, const PointValue& value) {
  Extent extent;
  for (const LoadPoint& point : points) {
    const auto found = static_cast<double>(value(point));
    if (!(found > 0)) continue;
    extent.high = std::max(extent.high, found);
    extent.low = extent.low > 0 ? std::min(extent.low, found) : found;
  }
  return extent;
}

double median_of(const std::vector<LoadPoint>& points, const PointValue& value) {
  std::vector<float> all;
  for (const LoadPoint& point : points)
    if (const float found = value(point); !std::isnan(found)) all.push_back(found);
  if (all.empty()) return 0;
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return static_cast<double>(*middle);
}

class TimePage {
 public:
  TimePage(const RunContents& contents, const std::string& nonce)
      : contents_(contents), nonce_(nonce), axis_(axis_of(contents)), bands_(bands_of(contents)) {
    drawn_ = std::min(contents.loads.size(), kLoadsDrawn);
  }

  TimeSection all() {
    std::string out = "<section id=\"time\">\n<h2>Over time</h2>\n";
    if (contents_.loads.empty()) return {out + "<p>No series was kept.</p>\n</section>\n", {}};
    out += tools() + key();
    out += figure("Throughput, operations per second", [this](std::size_t i) { return rate(i); });
    out += figure("Latency of completed operations: median, 99th percentile and largest",
                  [this](std::size_t i) { return latency(i); });
    out += figure("Age of the oldest operation in flight",
                  [this](std::size_t i) { return oldest(i); });
    out += figure("Latency heat map: how many operations took how long",
                  [this](std::size_t i) { return heat(i); });
    if (contents_.loads.size() > drawn_)
      out += fmt::format("<p>{} more loads are in the table of loads only.</p>\n",
                         contents_.loads.size() - drawn_);
    out += windows();
    return {out + "</section>\n", zoom_elements(zooms_, axis_, bands_, nonce_)};
  }

 private:
  template <class Row>
  std::string figure(const char* title, Row row) {
    std::string rows;
    for (std::size_t i = 0; i < drawn_; ++i) rows += row(i);
    if (rows.empty()) return {};
    return fmt::format("<div class=\"figure\"><h3>{}</h3>\n{}{}</div>\n", title, rows,
                       axis_labels(axis_));
  }

  std::string row(std::size_t load, const std::string& words, const std::string& plot) const {
    return fmt::format(
        "<div class=\"row\"><div class=\"rowhead\"><strong>{}</strong> <span "
        "class=\"soft\">{}</span></div>\n{}</div>\n",
        escaped_markup(contents_.loads[load].name), escaped_markup(words), plot);
  }

  std::vector<Band> bands_for(const std::string& load) const {
    std::vector<Band> bands;
    for (const Band& band : bands_)
      if (band.load.empty() || band.load == load) bands.push_back(band);
    return bands;
  }

  std::string plot(const char* measure, std::size_t load, Chart chart, std::string unit,
                   const std::string& high, const std::string& low, std::size_t points) {
    const LoadSeries& series = contents_.loads[load];
    const std::string id = fmt::format("chart-{}-{}", measure, load);
    const std::string svg = draw_chart(chart, series.points, axis_, bands_for(series.name));
    if (!nonce_.empty()) {
      charts_.push_back(std::move(chart));
      const std::size_t lines = charts_.back().lines.size();
      zooms_.push_back({id, series.name, std::move(unit), &charts_.back(), &series.points,
                        std::max<std::size_t>(points / lines / drawn_, 200)});
    }
    return static_plot(id, svg, high, low);
  }

  std::string rate(std::size_t i) {
    const LoadSeries& load = contents_.loads[i];
    const Extent extent = extent_of(load.points, rate_of);
    const ValueScale scale = linear_scale(extent.high);
    double least = extent.high;
    for (const LoadPoint& point : load.points)
      least = std::min(least, static_cast<double>(point.per_second));
    const std::string words = fmt::format("median {}/s, lowest second {}/s, highest {}/s",
                                          count_words(median_of(load.points, rate_of)),
                                          count_words(least), count_words(extent.high));
    return row(i, words,
               plot("rate", i,
                    {.title = fmt::format("Throughput of {} over time: {}", load.name, words),
                     .scale = scale,
                     .height = 90,
                     .lines = {{"per second", "rate", "#2563eb", rate_of}}},
                    "/s", count_words(scale.high) + "/s", "0", kRatePoints));
  }

  std::string latency(std::size_t i) {
    const LoadSeries& load = contents_.loads[i];
    if (!load.has_latency) return {};
    const Extent longest = extent_of(load.points, max_of),
                 shortest = extent_of(load.points, p50_of);
    const ValueScale scale = log_scale(shortest.low, longest.high);
    const std::string words = fmt::format(
        "median {}, 99th percentile {}, largest {}", micros_words(median_of(load.points, p50_of)),
        micros_words(median_of(load.points, p99_of)), micros_words(longest.high));
    return row(i, words,
               plot("latency", i,
                    {.title = fmt::format("Latency of {} over time: {}", load.name, words),
                     .scale = scale,
                     .height = 100,
                     .lines = {{"largest", "max", "#d97706", max_of},
                               {"99 %", "p99", "#7c3aed", p99_of},
                               {"median", "p50", "#0d9488", p50_of}}},
                    "µs", micros_words(scale.high), micros_words(scale.low), kOtherPoints * 3 / 4));
  }

  std::string oldest(std::size_t i) {
    const LoadSeries& load = contents_.loads[i];
    if (!load.has_oldest) return {};
    const Extent extent = extent_of(load.points, oldest_of);
    const ValueScale scale = log_scale(1, std::max(extent.high, 10.0));
    const std::string words = fmt::format("oldest {}", span_words(extent.high / 1e3));
    return row(
        i, words,
        plot("oldest", i,
             {.title =
                  fmt::format("Age of the oldest operation in flight of {}: {}", load.name, words),
              .scale = scale,
              .height = 60,
              .lines = {{"oldest", "oldest", "#dc2626", oldest_of}}},
             "ms", span_words(scale.high / 1e3), span_words(scale.low / 1e3), kOtherPoints / 4));
  }

  std::string heat(std::size_t i) const {
    const LoadSeries& load = contents_.loads[i];
    if (!load.heat || load.heat->empty()) return {};
    const std::string high = micros_words(HeatGrid::edge_us(load.heat->last_class() + 1));
    const std::string low = micros_words(HeatGrid::edge_us(load.heat->first_class()));
    return row(i, "darker is more, on a logarithmic scale",
               static_plot({},
                           draw_heat(*load.heat, fmt::format("Latency heat map of {}, {} to {}",
                                                             load.name, low, high)),
                           high, low));
  }

  std::string tools() const {
    if (nonce_.empty()) return {};
    std::string out =
        "<div class=\"tools\" role=\"group\" aria-label=\"Time shown\">"
        "<button data-zoom=\"in\">Zoom in</button><button data-zoom=\"out\">Zoom out</button>"
        "<button data-zoom=\"left\">Earlier</button><button data-zoom=\"right\">Later</button>"
        "<button data-zoom=\"all\">Whole run</button>";
    std::size_t shown = 0;
    for (const Band& band : bands_) {
      if (band.kind != "stall" || ++shown > 6) continue;
      const double around = std::max(10.0, band.end_s - band.start_s);
      out += fmt::format("<button data-from=\"{:.3f}\" data-to=\"{:.3f}\">{}</button>",
                         band.start_s - around, band.end_s + around,
                         escaped_markup(shortened(band.text, 40)));
    }
    return out +
           "<output id=\"zoom-range\" class=\"soft\">drag over a chart to zoom</output></div>\n";
  }

  std::string key() const {
    struct Entry {
      std::string_view kind, text;
    };
    constexpr std::array kEntries{Entry{"stall", "incident"},      Entry{"dropout", "dropout"},
                                  Entry{"injection", "injection"}, Entry{"canary", "canary"},
                                  Entry{"mark", "mark"},           Entry{"gap", "observer gap"},
                                  Entry{"capture", "capture"}};
    std::set<std::string_view> present;
    for (const Band& band : bands_) present.insert(band.kind);
    std::string out = "<div class=\"key\">";
    for (const Entry& entry : kEntries)
      if (present.contains(entry.kind))
        out += fmt::format("<span><i style=\"background:{}\"></i>{}</span>", band_color(entry.kind),
                           entry.text);
    const bool latency = std::any_of(contents_.loads.begin(), contents_.loads.end(),
                                     [](const LoadSeries& load) { return load.has_latency; });
    if (latency)
      out +=
          "<span><i class=\"line\" style=\"background:var(--p50,#0d9488)\"></i>median</span>"
          "<span><i class=\"line\" style=\"background:var(--p99,#7c3aed)\"></i>99th "
          "percentile</span><span><i class=\"line\" "
          "style=\"background:var(--max,#d97706)\"></i>largest</span>";
    return out + "</div>\n";
  }

  std::string windows() const {
    if (contents_.windows.empty()) return {};
    return fmt::format("<details><summary>{} marked times</summary>\n{}</details>\n",
                       contents_.windows.size(), html_table(window_table(contents_)));
  }

  const RunContents& contents_;
  std::string nonce_;
  TimeAxis axis_;
  std::vector<Band> bands_;
  std::size_t drawn_ = 0;
  std::deque<Chart> charts_;  // the zooms point into it
  std::vector<ZoomChart> zooms_;
};

}  // namespace

TimeSection time_section(const RunContents& contents, const std::string& nonce) {
  return TimePage(contents, nonce).all();
}

}  // namespace stallproof
