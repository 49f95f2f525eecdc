// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "harness/cmd/history_words.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;
using Value = std::optional<double>;

std::optional<double> per_hour(std::int64_t events, const BuildFigures& build) {
  if (build.node_hours <= 0) return std::nullopt;
  return static_cast<double>(events) / build.node_hours;
}

Value stalls_per_hour(const BuildFigures& build) { return per_hour(build.stalls, build); }
Value failing_per_hour(const BuildFigures& build) { return per_hour(build.failing, build); }
Value dropouts_per_hour(const BuildFigures& build) { return per_hour(build.dropouts, build); }
Value pass_share(const BuildFigures& build) {
  if (build.runs == 0) return std::nullopt;
  return static_cast<double>(build.passed) / static_cast<double>(build.runs);
}

struct Metric {
  const char* name;
  Value (*of_build)(const BuildFigures& build);  // or
  Value LoadMedians::*of_load;
};
constexpr std::array kMetrics{Metric{"stalls_per_hour", stalls_per_hour, nullptr},
                              Metric{"failing_per_hour", failing_per_hour, nullptr},
                              Metric{"dropouts_per_hour", dropouts_per_hour, nullptr},
                              Metric{"pass_share", pass_share, nullptr},
                              Metric{"ops_per_s", nullptr, &LoadMedians::ops_per_s},
                              Metric{"bytes_per_s", nullptr, &LoadMedians::bytes_per_s},
                              Metric{"p50_us", nullptr, &LoadMedians::p50_us},
                              Metric{"p99_us", nullptr, &LoadMedians::p99_us},
                              Metric{"max_us", nullptr, &LoadMedians::max_us}};

const Metric* metric_of(const std::string& name) {
  for (const Metric& metric : kMetrics)
    if (name == metric.name) return &metric;
  return nullptr;
}

struct Line {
  std::string load;  // empty: of the whole build
  std::vector<Value> values;
};

std::vector<Line> lines_of(const std::vector<BuildFigures>& builds, const Metric& metric,
                           const std::string& load) {
  std::set<std::string> names;
  if (metric.of_build != nullptr) names.insert("");
  if (metric.of_build == nullptr)
    for (const BuildFigures& build : builds)
      for (const auto& [name, figures] : build.loads)
        if (load.empty() || load == name) names.insert(name);
  std::vector<Line> lines;
  for (const std::string& name : names) {
    Line& line = lines.emplace_back();
    line.load = name;
    for (const BuildFigures& build : builds) {
      const auto found = build.loads.find(name);
      if (metric.of_build != nullptr)
        line.values.push_back(metric.of_build(build));
      else
        line.values.push_back(found == build.loads.end() ? Value{} : found->second.*metric.of_load);
    }
  }
  return lines;
}

// One letter for each build, from the least value to the greatest; a blank where there is none.
std::string sparkline(const std::vector<Value>& values) {
  constexpr std::array kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  Value least, most;
  for (const Value& value : values) {
    if (!value) continue;
    least = std::min(least.value_or(*value), *value);
    most = std::max(most.value_or(*value), *value);
  }
  std::string text;
  for (const Value& value : values) {
    if (!value) {
      text += ' ';
      continue;
    }
    const double share = *most > *least ? (*value - *least) / (*most - *least) : 0.5;
    text += kBars[std::min(kBars.size() - 1, static_cast<std::size_t>(share * kBars.size()))];
  }
  return text;
}

}  // namespace

std::string metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : kMetrics) names.emplace_back(metric.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<> check_metric(const std::string& metric) {
  if (metric_of(metric) != nullptr) return {};
  return fail(fmt::format("history trend --metric: '{}' is not known (one of: {})", metric,
                          metric_names()));
}

std::string trend_text(const std::vector<BuildFigures>& builds, const std::string& metric,
                       const std::string& load) {
  const Metric* const known = metric_of(metric);
  if (known == nullptr || builds.empty()) return "no run\n";
  const auto lines = lines_of(builds, *known, load);
  if (lines.empty()) return "no run has a load of this name\n";
  std::string text;
  std::int64_t on_purpose = 0;
  for (const BuildFigures& build : builds) on_purpose += build.on_purpose;
  for (const Line& line : lines) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}{}, builds in the order of their first runs\n{}\n", metric,
                        line.load.empty() ? "" : " of " + line.load, sparkline(line.values));
    text += fmt::format("{:<20} {:<26} {:>6} {:>11} {:>14}\n", "build", "first run", "runs",
                        "node-hours", metric);
    for (std::size_t i = 0; i < builds.size(); ++i)
      text +=
          fmt::format("{:<20} {:<26} {:>6} {:>11.4g} {:>14}\n", build_name(builds[i].build),
                      time_words(builds[i].first), builds[i].runs, builds[i].node_hours,
                      line.values[i] ? fmt::format("{:.5g}", *line.values[i]) : std::string("-"));
  }
  if (on_purpose > 0)
    text += fmt::format("{} runs of repro are left out: they make their stalls on purpose\n",
                        on_purpose);
  return text;
}

Json trend_json(const std::vector<BuildFigures>& builds, const std::string& metric,
                const std::string& load) {
  Json series = Json::array();
  const Metric* const known = metric_of(metric);
  for (const Line& line : known == nullptr ? std::vector<Line>{} : lines_of(builds, *known, load)) {
    Json points = Json::array();
    for (std::size_t i = 0; i < builds.size(); ++i)
      points.push_back({{"build", builds[i].build},
                        {"first_run", time_words(builds[i].first)},
                        {"runs", builds[i].runs},
                        {"node_hours", builds[i].node_hours},
                        {"on_purpose", builds[i].on_purpose},
                        {"value", line.values[i] ? Json(*line.values[i]) : Json(nullptr)}});
    series.push_back(
        {{"load", line.load.empty() ? Json(nullptr) : Json(line.load)}, {"builds", points}});
  }
  return {{"schema", 1}, {"metric", metric}, {"series", series}};
}

}  // namespace stallproof
