// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/killed_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr double kLongestMs = 1e14;

std::string content_of(const std::string& path) {
  auto text = read_file(path, std::size_t{1} << 30U);
  return text ? std::move(*text) : std::string();
}

// Whole lines only: the last one may be half written.
template <class Take>
void each_line(std::string_view text, Take take) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    take(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}

double number_of(const Json& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end() || !found->is_number()) return 0;
  return std::clamp(found->get<double>(), 0.0, kLongestMs);
}

std::string text_of(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

void take_event(const Json& event, KilledRun& run, std::vector<std::string>& confirmed) {
  run.last_ms = std::max(run.last_ms, number_of(event, "t_ms"));
  const std::string name = text_of(event, "event");
  if (name == "stall") {
    StallEntry stall;
    stall.id = text_of(event, "incident");
    stall.stall_class = stall.signature = "unknown";
    stall.onset_ms = number_of(event, "onset_ms");
    stall.detected_ms = number_of(event, "detected_ms");
    stall.sources = {"events.jsonl"};
    run.stalls.push_back(std::move(stall));
  } else if (name == "stall_resolved") {
    // One stands at a time.
    if (!run.stalls.empty() && !run.stalls.back().resolved_ms)
      run.stalls.back().resolved_ms = number_of(event, "at_ms");
  } else if (name == "cycle_confirmed") {
    confirmed.push_back(text_of(event, "incident"));
  } else if (name == "crash_asked") {
    run.crash_asked = true;
  }
}

void take_events(const std::string& directory, KilledRun& run,
                 std::vector<std::string>& confirmed) {
  std::size_t line = 0;
  each_line(content_of(directory + "/events.jsonl"), [&](std::string_view text) {
    ++line;
    const Json event = Json::parse(text, nullptr, false);
    if (event.is_object())
      take_event(event, run, confirmed);
    else
      run.problems.push_back(fmt::format("events.jsonl line {}: cut or no JSON", line));
  });
}

// Older versions left incidents that no event tells.
StallEntry& stall_of(KilledRun& run, const StoredIncident& incident) {
  for (StallEntry& stall : run.stalls)
    if (stall.id == incident.id) return stall;
  StallEntry stall;
  stall.id = incident.id;
  stall.stall_class = stall.signature = "unknown";
  stall.onset_ms = incident.onset_ms;
  stall.detected_ms = incident.detected_ms;
  stall.resolved_ms = incident.resolved_ms;
  return run.stalls.emplace_back(std::move(stall));
}

void take_incidents(const std::string& directory, KilledRun& run) {
  const auto stored = read_run(directory);
  if (!stored) {
    run.problems.push_back(stored.error().what);
    return;
  }
  for (const StoredIncident& incident : stored->incidents) {
    StallEntry& stall = stall_of(run, incident);
    if (!incident.sources.empty()) stall.sources = incident.sources;
    if (!incident.explanation) continue;
    stall.stall_class = incident.explanation->stall_class;
    stall.signature = incident.explanation->signature;
    stall.explanation = "incidents/" + incident.id + "/explanation.json";
  }
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  for (std::size_t end = line.find(','); end != std::string_view::npos; end = line.find(',')) {
    cells.emplace_back(line.substr(0, end));
    line.remove_prefix(end + 1);
  }
  cells.emplace_back(line);
  return cells;
}

// t_ms,load,ops,bytes,errors,…: growth in one second each.
void take_loads(const std::string& directory, KilledRun& run) {
  each_line(content_of(directory + "/series/loads.csv"), [&](std::string_view line) {
    const auto cells = cells_of(line);
    if (cells.size() < 5 || cells[0] == "t_ms") return;
    const double at_ms = std::strtod(cells[0].c_str(), nullptr);
    if (at_ms > run.last_ms && at_ms <= kLongestMs) run.last_ms = at_ms;
    WorkloadEntry& load = run.workloads[cells[1]];
    load.ops += std::strtoull(cells[2].c_str(), nullptr, 10);
    load.bytes += std::strtoull(cells[3].c_str(), nullptr, 10);
    load.errors += std::strtoull(cells[4].c_str(), nullptr, 10);
  });
}

std::string scenario_of(const std::string& directory) {
  constexpr std::string_view kKey = "scenario = \"";
  const std::string plan = content_of(directory + "/plan.toml");
  if (!plan.starts_with(kKey)) return {};
  return plan.substr(kKey.size(), plan.find('"', kKey.size()) - kKey.size());
}

}  // namespace

KilledRun read_killed_run(const std::string& directory) {
  KilledRun run;
  std::vector<std::string> confirmed;
  run.scenario = scenario_of(directory);
  take_events(directory, run, confirmed);
  take_incidents(directory, run);
  take_loads(directory, run);
  for (StallEntry& stall : run.stalls)
    stall.failing = !stall.resolved_ms ||
                    *stall.resolved_ms - stall.onset_ms >= default_fail_after_ms(run) ||
                    std::find(confirmed.begin(), confirmed.end(), stall.id) != confirmed.end();
  return run;
}

double default_fail_after_ms(const KilledRun& run) { return run.scenario.empty() ? 30000 : 1000; }

}  // namespace stallproof
