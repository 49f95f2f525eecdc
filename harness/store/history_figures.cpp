// SPDX-License-Identifier: Apache-2.0
#include "harness/store/history_figures.h"

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr std::size_t kColumnsOfLoads = 5;
using Values = std::array<std::vector<double>, kColumnsOfLoads>;

std::optional<double> median(std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const std::size_t middle = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

class Gatherer {
 public:
  Gatherer(Database& database, const HistoryFilter& filter, bool together)
      : database_(database), filter_(filter), together_(together), one_(!filter.run.empty()) {}

  std::vector<BuildFigures> gather() {
    take_runs();
    filter_.observed_only = !one_;
    take_stalls();
    take_loads();
    return std::move(builds_);
  }

 private:
  Statement select(const std::string& columns, const std::string& order) {
    const FilterWords words(filter_);
    Statement rows = database_.prepare(columns + words.where() + order);
    words.bind_to(rows);
    return rows;
  }
  BuildFigures& build(const std::string& name) {
    const std::string key = together_ ? "" : name;
    const auto [found, fresh] = place_.try_emplace(key, builds_.size());
    if (fresh) builds_.emplace_back().build = key;
    return builds_[found->second];
  }
  void take_runs();
  void take_stalls();
  void take_loads();

  Database& database_;
  HistoryFilter filter_;
  bool together_;
  bool one_;  // a run that is asked for by its name counts, whatever it was for and became
  std::vector<BuildFigures> builds_;
  std::map<std::string, std::size_t> place_;
};

void Gatherer::take_runs() {
  Statement rows = select(
      "SELECT run.build, run.state, run.purpose, run.duration_s, run.stalls, run.failing, "
      "run.dropouts, run.dropout_s, run.started_ms, run.offset_min FROM run ",
      " ORDER BY run.started_ms");
  while (rows.step()) {
    BuildFigures& into = build(rows.text(0));
    if (into.runs + into.on_purpose == 0)
      into.first = {.unix_ms = rows.whole(8), .offset_min = static_cast<int>(rows.whole(9))};
    if (rows.whole(2) != 0 && !one_) {
      ++into.on_purpose;
      continue;
    }
    ++into.runs;
    const std::string state = rows.text(1);
    ++(state == "pass"      ? into.passed
       : state == "fail"    ? into.failed
       : state == "unknown" ? into.unknown
                            : into.unended);
    if (state != "pass" && state != "fail" && !one_) continue;
    into.node_hours += rows.real(3) / 3600;
    into.stalls += rows.whole(4);
    into.failing += rows.whole(5);
    into.dropouts += rows.whole(6);
    into.dropout_s += rows.real(7);
  }
}

void Gatherer::take_stalls() {
  Statement rows = select(
      "SELECT run.build, stall.signature, count(*) FROM stall JOIN run ON run.id = stall.run_id ",
      " GROUP BY run.build, stall.signature");
  while (rows.step()) build(rows.text(0)).by_signature[rows.text(1)] += rows.whole(2);
}

void Gatherer::take_loads() {
  std::map<std::string, std::map<std::string, std::pair<std::int64_t, Values>>> gathered;
  Statement rows = select(
      "SELECT run.build, load.name, load.ops_per_s, load.bytes_per_s, load.p50_us, load.p99_us, "
      "load.max_us FROM load JOIN run ON run.id = load.run_id ",
      "");
  while (rows.step()) {
    auto& [runs, values] = gathered[together_ ? "" : rows.text(0)][rows.text(1)];
    ++runs;
    for (std::size_t i = 0; i < kColumnsOfLoads; ++i)
      if (const auto value = rows.maybe_real(static_cast<int>(i) + 2)) values[i].push_back(*value);
  }
  for (auto& [name, loads] : gathered)
    for (auto& [load, each] : loads) {
      Values& values = each.second;
      build(name).loads[load] = {.runs = each.first,
                                 .ops_per_s = median(values[0]),
                                 .bytes_per_s = median(values[1]),
                                 .p50_us = median(values[2]),
                                 .p99_us = median(values[3]),
                                 .max_us = median(values[4])};
    }
}

}  // namespace

Result<std::vector<BuildFigures>> figures_by_build(History& history, const HistoryFilter& filter) {
  auto builds = Gatherer(history.database(), filter, false).gather();
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return builds;
}

Result<BuildFigures> figures_together(History& history, const HistoryFilter& filter) {
  auto all = Gatherer(history.database(), filter, true).gather();
  if (auto failed = history.failure(); !failed) return Failure(failed.error());
  return all.empty() ? BuildFigures{} : std::move(all.front());
}

}  // namespace stallproof
