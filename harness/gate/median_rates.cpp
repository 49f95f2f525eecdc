// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/median_rates.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "harness/gate/exact_ranks.h"

namespace stallproof {
namespace {

struct Second {
  double end_ms = 0;
  double ops = 0;
  bool offered = true;  // false: nothing was in flight and nothing completed
};
using Seconds = std::map<std::string, std::vector<Second>>;

std::vector<std::string_view> split(std::string_view line, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = line.find(by);
    parts.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || rest != text.data() + text.size() || !std::isfinite(value) ||
      value < 0)
    return std::nullopt;
  return value;
}

std::size_t column(const std::vector<std::string_view>& header, std::string_view name) {
  for (std::size_t i = 0; i < header.size(); ++i)
    if (header[i] == name) return i;
  return header.size();
}

// One row for each load and second.
bool take_row(const std::vector<std::string_view>& header,
              const std::vector<std::string_view>& fields, Seconds& seconds) {
  const auto end = number_of(fields[column(header, "t_ms")]);
  const auto ops = number_of(fields[column(header, "ops")]);
  const auto flying = number_of(fields[column(header, "in_flight")]);
  if (!end || !ops || !flying) return false;
  seconds[std::string(fields[column(header, "load")])].push_back(
      {*end, *ops, *ops > 0 || *flying > 0});
  return true;
}

// One row for each second, a column for each load.
bool take_columns(const std::vector<std::string_view>& header,
                  const std::vector<std::string_view>& fields, Seconds& seconds) {
  const auto end = number_of(fields[0]);
  if (!end) return false;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const auto ops = number_of(fields[i]);
    if (!ops) return false;
    seconds[std::string(header[i])].push_back({*end, *ops});
  }
  return true;
}

bool has_all(const std::vector<std::string_view>& header) {
  for (const char* name : {"t_ms", "load", "ops", "in_flight"})
    if (column(header, name) == header.size()) return false;
  return true;
}

Result<Seconds> read_seconds(std::string_view csv, const std::string& name) {
  Seconds seconds;
  std::vector<std::string_view> header;
  std::size_t number = 0;
  for (std::string_view line : split(csv, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto fields = split(line, ',');
    if (header.empty()) {
      header = fields;
      if (header[0] == "end_ms" || has_all(header)) continue;
      return fail(fmt::format("{}:1: not a series of loads", name), Origin::infra);
    }
    const bool taken = fields.size() == header.size() &&
                       (header[0] == "end_ms" ? take_columns(header, fields, seconds)
                                              : take_row(header, fields, seconds));
    if (!taken) return fail(fmt::format("{}:{}: cut or damaged row", name, number), Origin::infra);
  }
  return seconds;
}

// The first row tells no begin: it is taken for a whole second.
std::vector<double> rates_of(const std::vector<Second>& seconds, double warm_ms) {
  std::size_t first = 0, end = seconds.size();
  while (first < end && seconds[first].ops == 0) ++first;
  while (end > first && seconds[end - 1].ops == 0) --end;
  std::vector<double> rates;
  for (std::size_t i = first; i < end; ++i) {
    const double span = i == 0 ? 1000 : seconds[i].end_ms - seconds[i - 1].end_ms;
    if (seconds[i].end_ms <= warm_ms || !seconds[i].offered || span < 500) continue;
    rates.push_back(seconds[i].ops * 1000 / span);
  }
  return rates;
}

}  // namespace

Result<std::map<std::string, double>> median_rates(std::string_view csv, double warmup_ms,
                                                   const std::string& name) {
  const auto seconds = read_seconds(csv, name);
  if (!seconds) return Failure(seconds.error());
  std::map<std::string, double> medians;
  for (const auto& [load, rows] : *seconds) {
    const double warm_ms = rows.front().end_ms - 1000 + warmup_ms;
    std::vector<double> rates = rates_of(rows, warm_ms);
    if (rates.empty()) rates = rates_of(rows, -1);
    if (!rates.empty()) medians[load] = median_of(std::move(rates));
  }
  return medians;
}

}  // namespace stallproof
