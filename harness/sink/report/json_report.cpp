// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/explain/render.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/run_facts.h"
#include "harness/sink/report/stored_picture.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

// As in explanation.json, stacks as long as the page has them.
Json explanation_json(const StoredExplanation& stored) {
  Explanation explanation = explanation_of(stored);
  for (ExplainedNode& node : explanation.nodes)
    if (node.stack.size() > kFramesShown) node.stack.resize(kFramesShown);
  return Json::parse(render_json(explanation));
}

Json support_json(const StoredIncident& stored) {
  Json list = Json::array();
  for (const StoredSupport& each : stored.support)
    list.push_back({{"detector", each.detector},
                    {"what", each.what},
                    {"since_ms", each.since_ms},
                    {"count", each.count}});
  return list;
}

Json files_json(const ReportIncident& incident) {
  Json files = Json::array();
  for (const EvidenceFile& file : incident.files)
    files.push_back(
        {{"name", file.name}, {"path", evidence_path(incident, file)}, {"bytes", file.bytes}});
  return files;
}

Json incident_json(const ReportIncident& incident, const RunContents& contents) {
  const StoredIncident& stored = incident.stored;
  const auto& entry = incident.entry;
  const auto& told = stored.explanation;
  return {{"id", stored.id},
          {"class", stored.stall_class},
          {"signature", stored.signature},
          {"onset", entry ? text_or_null(entry->onset) : Json(nullptr)},
          {"onset_ms", entry ? entry->onset_ms : stored.onset_ms},
          {"detected_ms", entry ? entry->detected_ms : stored.detected_ms},
          {"resolved_ms", or_null(entry ? entry->resolved_ms : stored.resolved_ms)},
          {"failing", entry ? Json(entry->failing) : Json(nullptr)},
          {"summary", told ? Json(told->summary) : Json(nullptr)},
          {"advice", told ? Json(told->advice) : Json(nullptr)},
          {"loads", stored.loads},
          {"sources", stored.sources},
          {"detectors", stored.detectors},
          {"support", support_json(stored)},
          {"explanation", told ? explanation_json(*told) : Json(nullptr)},
          {"files", files_json(incident)},
          {"commands", incident_commands(incident, contents)}};
}

Json load_json(const LoadSeries& load, const Verdict* verdict) {
  double largest = 0, least = 0;
  for (std::size_t i = 0; i < load.points.size(); ++i) {
    const auto rate = static_cast<double>(load.points[i].per_second);
    largest = std::max(largest, rate);
    least = i == 0 ? rate : std::min(least, rate);
  }
  Json json = {{"name", load.name},
               {"seconds", load.points.size()},
               {"per_second_max", largest},
               {"per_second_min", least}};
  if (verdict == nullptr) return json;
  const auto found = verdict->workloads.find(load.name);
  if (found == verdict->workloads.end()) return json;
  json["ops"] = found->second.ops;
  json["errors"] = found->second.errors;
  json["p50_us"] = or_null(found->second.p50_us);
  json["p99_us"] = or_null(found->second.p99_us);
  json["max_us"] = or_null(found->second.max_us);
  return json;
}

Json windows_json(const RunContents& contents) {
  Json windows = Json::array();
  for (const RunWindow& window : contents.windows)
    windows.push_back({{"start_ms", window.start_ms},
                       {"end_ms", window.end_ms},
                       {"kind", window.kind},
                       {"text", window.text}});
  return windows;
}

Json environment_json(const RunContents& contents) {
  if (!contents.run.environment) return nullptr;
  const StoredEnvironment& machine = *contents.run.environment;
  return {{"node", machine.node},
          {"kernel", machine.kernel},
          {"kernel_version", machine.kernel_version},
          {"machine", machine.machine},
          {"cpus", machine.cpus},
          {"tool_version", machine.tool_version}};
}

// As verdict.json has it; null where the run has none.
void add_judged(const Verdict* verdict, Json& document) {
  constexpr std::array kKeys{
      "scenario",   "settings", "labels", "node",        "kernel",       "tool_version", "target",
      "thresholds", "started",  "ended",  "marks",       "dropouts",     "suspected",    "hazard",
      "observer",   "captures", "notes",  "left_behind", "command_exit", "workloads"};
  const Json judged = verdict == nullptr ? Json::object() : Json::parse(verdict_json(*verdict));
  for (const char* key : kKeys) {
    const auto found = judged.find(key);
    document[key] = found == judged.end() ? Json(nullptr) : *found;
  }
}

}  // namespace

std::string json_report(const RunContents& contents) {
  const ZeroMeaning meaning = zero_meaning(contents);
  const Verdict* verdict = contents.run.verdict ? &*contents.run.verdict : nullptr;
  Json incidents = Json::array(), loads = Json::array();
  for (const ReportIncident& incident : contents.incidents)
    incidents.push_back(incident_json(incident, contents));
  for (const LoadSeries& load : contents.loads) loads.push_back(load_json(load, verdict));
  Json document = {
      {"schema", 1},
      {"run", contents.run.id},
      {"directory", contents.run.directory},
      {"verdict", verdict_word(contents)},
      {"reasons", verdict == nullptr ? Json::array() : Json(verdict->reasons)},
      {"duration_s", contents.span_s},
      {"meaning", meaning.headline + (meaning.detail.empty() ? "" : " " + meaning.detail)},
      {"rerun", text_or_null(rerun_command(contents))}};
  add_judged(verdict, document);
  document["environment"] = environment_json(contents);
  document["plan"] = text_or_null(shown_plan(contents));
  document["incidents"] = std::move(incidents);
  document["loads"] = std::move(loads);
  document["windows"] = windows_json(contents);
  document["problems"] = contents.problems;
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
