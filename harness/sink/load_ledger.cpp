// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/load_ledger.h"

#include <algorithm>
#include <vector>

namespace stallproof {
namespace {

constexpr std::size_t kMedianOf = 60;
constexpr std::size_t kLeastSeconds = 10;
constexpr double kShortSecond = 0.5;

// What came since; a count that fell began anew.
template <class Number>
Number growth(Number now, Number before) {
  return now >= before ? now - before : now;
}

void count(const OpFigures& now, OpCounts& before, OpCounts& into) {
  into.ops += growth(now.ops, before.ops);
  into.bytes += growth(now.bytes, before.bytes);
  into.seconds += growth(now.seconds, before.seconds);
  for (std::size_t i = 0; i < into.latency.size(); ++i)
    into.latency[i] += growth(now.latency[i], before.latency[i]);
  before = {now.ops, now.bytes, now.seconds, now.latency};
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string LoadLedger::label_of(const std::string& load) {
  const auto known = labels_.find(load);
  return known != labels_.end() ? known->second : "other";
}

std::string LoadLedger::target_of(const std::string& load) {
  auto found = targets_.find(load);
  if (found == targets_.end()) found = targets_.find("");
  return found == targets_.end() ? "" : target_values_.of(label_value(found->second));
}

void LoadLedger::count_kinds(const LoadFigures& load, Before& before, LoadLine& line) {
  for (const OpFigures& kind : load.kinds)
    count(kind, before.kinds[kind.kind], line.kinds[kind.kind]);
  for (const auto& [why, number] : load.failures) {
    std::uint64_t& known = before.failures[why];
    line.failures[why] += growth(number, known);
    known = number;
  }
  if (load.own) return;
  OpFigures all;
  all.ops = load.ops;
  count(all, before.kinds["any"], line.kinds["any"]);
}

void LoadLedger::take(const RunFigures& figures) {
  for (auto& [label, line] : lines_) {
    line.in_flight = 0;
    line.oldest_age_s = 0;
  }
  for (const LoadFigures& load : figures.loads) {
    const auto [named, is_new] = labels_.try_emplace(load.name);
    if (is_new)
      named->second = values_.of(load.own ? label_value(load.name) : command_label(load.name));
    const auto [found, first_of_label] = lines_.try_emplace(named->second);
    LoadLine& line = found->second;
    if (first_of_label)
      line.target = target_of(load.name);
    else if (is_new && line.target != target_of(load.name))
      line.target.clear();  // of several
    Before& before = before_[load.name];
    line.own = load.own;
    line.ops += growth(load.ops, before.ops);
    line.mismatches += growth(load.mismatches, before.mismatches);
    count_kinds(load, before, line);
    before.ops = load.ops;
    before.mismatches = load.mismatches;
    line.in_flight += load.in_flight;
    line.oldest_age_s = std::max(line.oldest_age_s, static_cast<double>(load.oldest_age_ns) / 1e9);
    line.last_progress_ns = std::max(line.last_progress_ns, load.last_progress_ns);
  }
}

void LoadLedger::note_second(double elapsed_s) {
  if (elapsed_s < kShortSecond) return;
  for (auto& [label, line] : lines_) {
    const auto [found, is_new] = paces_.try_emplace(label);
    Pace& pace = found->second;
    const double rate = static_cast<double>(line.ops - pace.ops) / elapsed_s;
    pace.ops = line.ops;
    if (is_new) continue;  // since when is not known
    pace.per_second.push_back(rate);
    if (pace.per_second.size() > kMedianOf) pace.per_second.pop_front();
    line.throughput_ratio.reset();
    if (pace.per_second.size() < kLeastSeconds) continue;
    const double usual = median_of({pace.per_second.begin(), pace.per_second.end()});
    if (usual > 0) line.throughput_ratio = rate / usual;
  }
}

}  // namespace stallproof
