// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/event_rate.h"
#include "harness/cmd/history_words.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

std::string row(const std::string& what, const std::string& a, const std::string& b) {
  return fmt::format("{:<34} {:<32} {}\n", what, a, b);
}

std::string short_rate(std::int64_t events, double hours) {
  if (hours <= 0) return "-";
  const EventRate rate = event_rate(static_cast<std::uint64_t>(events), hours);
  if (events == 0) return fmt::format("0 (< {:.3g})", rate.high);
  return fmt::format("{}: {:.3g} ({:.3g} to {:.3g})", events, rate.rate, rate.low, rate.high);
}

std::string verdicts(const BuildFigures& figures) {
  std::string text =
      fmt::format("{}: {} pass, {} fail", figures.runs, figures.passed, figures.failed);
  if (figures.unknown > 0) text += fmt::format(", {} unknown", figures.unknown);
  if (figures.unended > 0) text += fmt::format(", {} not ended", figures.unended);
  return text;
}

std::string change(const std::optional<double>& a, const std::optional<double>& b) {
  if (!a || !b || *a == 0) return "";
  return fmt::format(" ({:+.1f} %)", (*b - *a) / *a * 100);
}

std::string value(const std::optional<double>& number) {
  return number ? fmt::format("{:.5g}", *number) : "-";
}

struct LoadColumn {
  const char* words;
  const char* key;
  std::optional<double> LoadMedians::*figure;
};
constexpr std::array kLoadColumns{LoadColumn{"ops/s", "ops_per_s", &LoadMedians::ops_per_s},
                                  LoadColumn{"bytes/s", "bytes_per_s", &LoadMedians::bytes_per_s},
                                  LoadColumn{"p50 us", "p50_us", &LoadMedians::p50_us},
                                  LoadColumn{"p99 us", "p99_us", &LoadMedians::p99_us},
                                  LoadColumn{"max us", "max_us", &LoadMedians::max_us}};

LoadMedians load_of(const BuildFigures& figures, const std::string& name) {
  const auto found = figures.loads.find(name);
  return found == figures.loads.end() ? LoadMedians{} : found->second;
}

std::int64_t stalls_of(const BuildFigures& figures, const std::string& signature) {
  const auto found = figures.by_signature.find(signature);
  return found == figures.by_signature.end() ? 0 : found->second;
}

template <class Map>
void add_keys(const Map& from, std::set<std::string>& into) {
  for (const auto& [key, ignored] : from) into.insert(key);
}

std::set<std::string> signatures(const Compared& a, const Compared& b) {
  std::set<std::string> all;
  add_keys(a.figures.by_signature, all);
  add_keys(b.figures.by_signature, all);
  return all;
}

std::set<std::string> loads(const Compared& a, const Compared& b) {
  std::set<std::string> all;
  add_keys(a.figures.loads, all);
  add_keys(b.figures.loads, all);
  return all;
}

Json load_json(const LoadMedians& figures) {
  Json json{{"runs", figures.runs}};
  for (const LoadColumn& column : kLoadColumns) {
    const auto& number = figures.*column.figure;
    json[column.key] = number ? Json(*number) : Json(nullptr);
  }
  return json;
}

Json side_json(const Compared& side) {
  const BuildFigures& figures = side.figures;
  return {{"name", side.name},
          {"runs", figures.runs},
          {"pass", figures.passed},
          {"fail", figures.failed},
          {"unknown", figures.unknown},
          {"not_ended", figures.unended},
          {"on_purpose", figures.on_purpose},
          {"node_hours", figures.node_hours},
          {"stalls", rate_json(figures.stalls, figures.node_hours)},
          {"failing_stalls", rate_json(figures.failing, figures.node_hours)},
          {"dropouts", rate_json(figures.dropouts, figures.node_hours)},
          {"dropout_s", figures.dropout_s}};
}

}  // namespace

std::string compare_text(const Compared& a, const Compared& b) {
  const BuildFigures &left = a.figures, &right = b.figures;
  std::string text = row("", a.name, b.name);
  text += row("runs", verdicts(left), verdicts(right));
  if (left.on_purpose + right.on_purpose > 0)
    text += row("  of repro, left out", std::to_string(left.on_purpose),
                std::to_string(right.on_purpose));
  text += row("node-hours of pass and fail", fmt::format("{:.4g}", left.node_hours),
              fmt::format("{:.4g}", right.node_hours));
  text += "per node-hour (95 % bounds):\n";
  const auto rates = [&](const std::string& what, std::int64_t in_a, std::int64_t in_b) {
    text += row("  " + what, short_rate(in_a, left.node_hours), short_rate(in_b, right.node_hours));
  };
  rates("stalls", left.stalls, right.stalls);
  for (const std::string& signature : signatures(a, b)) {
    const bool fits = signature.size() <= 30;
    if (!fits) text += "    " + signature + "\n";
    rates(fits ? "  " + signature : "", stalls_of(left, signature), stalls_of(right, signature));
  }
  rates("dropouts", left.dropouts, right.dropouts);
  if (!left.loads.empty() || !right.loads.empty()) text += "medians of the runs:\n";
  for (const std::string& name : loads(a, b)) {
    const LoadMedians in_a = load_of(left, name), in_b = load_of(right, name);
    for (const LoadColumn& column : kLoadColumns) {
      const auto &before = in_a.*column.figure, &after = in_b.*column.figure;
      if (!before && !after) continue;
      text += row(fmt::format("  {} {}", name, column.words), value(before),
                  value(after) + change(before, after));
    }
  }
  return text;
}

Json compare_json(const Compared& a, const Compared& b) {
  Json by_signature = Json::array(), by_load = Json::array();
  for (const std::string& signature : signatures(a, b))
    by_signature.push_back(
        {{"signature", signature},
         {"a", rate_json(stalls_of(a.figures, signature), a.figures.node_hours)},
         {"b", rate_json(stalls_of(b.figures, signature), b.figures.node_hours)}});
  for (const std::string& name : loads(a, b))
    by_load.push_back({{"load", name},
                       {"a", load_json(load_of(a.figures, name))},
                       {"b", load_json(load_of(b.figures, name))}});
  return {{"schema", 1},
          {"a", side_json(a)},
          {"b", side_json(b)},
          {"signatures", by_signature},
          {"loads", by_load}};
}

}  // namespace stallproof
