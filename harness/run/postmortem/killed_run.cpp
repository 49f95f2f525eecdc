// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/killed_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/run/postmortem/killed_thresholds.h"
#include "harness/store/mark.h"
#include "harness/store/run_read.h"
#include "harness/store/stall_rule.h"

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

std::vector<std::string> texts_of(const Json& event, const char* key) {
  std::vector<std::string> texts;
  const auto found = event.find(key);
  if (found == event.end() || !found->is_array()) return texts;
  for (const Json& each : *found)
    if (each.is_string()) texts.push_back(each.get<std::string>());
  return texts;
}

KilledStall* find_stall(KilledRun& run, const std::string& id) {
  const auto found = std::find_if(run.stalls.begin(), run.stalls.end(),
                                  [&id](const KilledStall& each) { return each.entry.id == id; });
  return found == run.stalls.end() ? nullptr : &*found;
}

KilledStall& add_stall(KilledRun& run, const std::string& id) {
  KilledStall stall;
  stall.entry.id = id;
  stall.entry.stall_class = stall.entry.signature = "unknown";
  return run.stalls.emplace_back(std::move(stall));
}

// Older versions wrote some of them twice.
void take_stall(const Json& event, KilledRun& run) {
  const std::string id = text_of(event, "incident");
  if (find_stall(run, id) != nullptr) return;
  KilledStall& stall = add_stall(run, id);
  stall.entry.onset_ms = number_of(event, "onset_ms");
  stall.entry.detected_ms = number_of(event, "detected_ms");
  stall.entry.sources = {"events.jsonl"};
  stall.loads = texts_of(event, "loads");
}

// One stands at a time: where an older version did not say which, it is the last one.
void take_resolved(const Json& event, KilledRun& run) {
  const std::string id = text_of(event, "incident");
  KilledStall* stall = find_stall(run, id);
  if (id.empty() && !run.stalls.empty()) stall = &run.stalls.back();
  if (stall != nullptr && !stall->entry.resolved_ms)
    stall->entry.resolved_ms = number_of(event, "at_ms");
}

void take_mark(const Json& event, KilledRun& run) {
  MarkEntry mark{.text = text_of(event, "text"), .start_ms = number_of(event, "at_ms")};
  mark.end_ms = mark.start_ms + number_of(event, "for_ms");
  const auto allow = event.find("allow_ms");
  if (allow != event.end() && allow->is_number()) mark.allow_ms = number_of(event, "allow_ms");
  run.marks.push_back(std::move(mark));
}

void take_event(const Json& event, KilledRun& run) {
  run.last_ms = std::max(run.last_ms, number_of(event, "t_ms"));
  const std::string name = text_of(event, "event");
  if (name == "stall") {
    take_stall(event, run);
  } else if (name == "stall_resolved") {
    take_resolved(event, run);
  } else if (name == "cycle_confirmed") {
    if (KilledStall* const stall = find_stall(run, text_of(event, "incident")))
      stall->in_circle = true;
  } else if (name == "mark") {
    take_mark(event, run);
  } else if (name == "crash_asked") {
    run.crash_asked = true;
  }
}

void take_events(const std::string& directory, KilledRun& run) {
  std::size_t line = 0;
  each_line(content_of(directory + "/events.jsonl"), [&](std::string_view text) {
    ++line;
    const Json event = Json::parse(text, nullptr, false);
    if (event.is_object())
      take_event(event, run);
    else
      run.problems.push_back(fmt::format("events.jsonl line {}: cut or no JSON", line));
  });
}

// Older versions left incidents that no event tells. Of one that an event tells, its own file may
// still know more: it is written first.
KilledStall& stall_of(KilledRun& run, const StoredIncident& incident) {
  if (KilledStall* const known = find_stall(run, incident.id)) return *known;
  KilledStall& stall = add_stall(run, incident.id);
  // Without its own file either nobody knows when it began.
  const bool dated = incident.detected_ms > 0;
  stall.entry.onset_ms = dated ? incident.onset_ms : run.last_ms;
  stall.entry.detected_ms = dated ? incident.detected_ms : run.last_ms;
  return stall;
}

void take_incidents(const std::string& directory, KilledRun& run) {
  const auto stored = read_run(directory);
  if (!stored) {
    run.problems.push_back(stored.error().what);
    return;
  }
  for (const StoredIncident& incident : stored->incidents) {
    KilledStall& stall = stall_of(run, incident);
    if (!stall.entry.resolved_ms) stall.entry.resolved_ms = incident.resolved_ms;
    if (!incident.sources.empty()) stall.entry.sources = incident.sources;
    if (!incident.loads.empty()) stall.loads = incident.loads;
    stall.in_circle = stall.in_circle || incident.cycle_confirmed;
    if (!incident.explanation) continue;
    stall.entry.stall_class = incident.explanation->stall_class;
    stall.entry.signature = incident.explanation->signature;
    stall.entry.explanation = "incidents/" + incident.id + "/explanation.json";
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

void note_moment(double at_ms, KilledRun& run) {
  if (at_ms > run.last_ms && at_ms <= kLongestMs) run.last_ms = at_ms;
}

// All that a watch writes while nothing happens; the moment comes first in each row.
void take_seconds(const std::string& directory, KilledRun& run) {
  each_line(content_of(directory + "/series/seconds.csv"), [&run](std::string_view line) {
    note_moment(std::strtod(cells_of(line)[0].c_str(), nullptr), run);
  });
}

// t_ms,load,ops,bytes,errors,…: growth in one second each.
void take_loads(const std::string& directory, KilledRun& run) {
  each_line(content_of(directory + "/series/loads.csv"), [&](std::string_view line) {
    const auto cells = cells_of(line);
    if (cells.size() < 5 || cells[0] == "t_ms") return;
    note_moment(std::strtod(cells[0].c_str(), nullptr), run);
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
  run.scenario = scenario_of(directory);
  run.thresholds = thresholds_of_killed(directory, run.scenario);
  take_events(directory, run);
  take_loads(directory, run);
  take_seconds(directory, run);
  take_incidents(directory, run);
  return run;
}

std::vector<StallEntry> judged_stalls(const KilledRun& run, RunEnd end) {
  std::vector<StallEntry> judged;
  for (const KilledStall& stall : run.stalls) {
    StallEntry entry = stall.entry;
    const Marked marked = marked_at(run.marks, entry.onset_ms);
    const double seen_until_ms = entry.resolved_ms.value_or(run.last_ms);
    entry.marked = marked.any;
    entry.failing = is_failing(nanos_from_ms(seen_until_ms - entry.onset_ms),
                               {.fail_after = fail_after_of(run.thresholds, stall.loads),
                                .allowed = marked.allow_ns,
                                .in_circle = stall.in_circle});
    if (!entry.resolved_ms && end == RunEnd::node_died) entry.failing = true;
    judged.push_back(std::move(entry));
  }
  return judged;
}

}  // namespace stallproof
