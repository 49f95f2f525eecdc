// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/sink/report/report.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json incident_json(const ReportIncident& incident) {
  const StoredIncident& stored = incident.stored;
  const auto& entry = incident.entry;
  Json files = Json::array();
  for (const EvidenceFile& file : incident.files)
    files.push_back({{"name", file.name}, {"bytes", file.bytes}});
  return {{"id", stored.id},
          {"class", stored.stall_class},
          {"signature", stored.signature},
          {"onset_ms", entry ? entry->onset_ms : stored.onset_ms},
          {"detected_ms", entry ? entry->detected_ms : stored.detected_ms},
          {"resolved_ms", or_null(entry ? entry->resolved_ms : stored.resolved_ms)},
          {"failing", entry ? Json(entry->failing) : Json(nullptr)},
          {"summary", stored.explanation ? Json(stored.explanation->summary) : Json(nullptr)},
          {"advice", stored.explanation ? Json(stored.explanation->advice) : Json(nullptr)},
          {"loads", stored.loads},
          {"files", files}};
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

}  // namespace

std::string json_report(const RunContents& contents) {
  const ZeroMeaning meaning = zero_meaning(contents);
  const Verdict* verdict = contents.run.verdict ? &*contents.run.verdict : nullptr;
  Json incidents = Json::array(), loads = Json::array(), windows = Json::array();
  for (const ReportIncident& incident : contents.incidents)
    incidents.push_back(incident_json(incident));
  for (const LoadSeries& load : contents.loads) loads.push_back(load_json(load, verdict));
  for (const RunWindow& window : contents.windows)
    windows.push_back({{"start_ms", window.start_ms},
                       {"end_ms", window.end_ms},
                       {"kind", window.kind},
                       {"text", window.text}});
  const std::string again = rerun_command(contents);
  const Json document = {
      {"schema", 1},
      {"run", contents.run.id},
      {"directory", contents.run.directory},
      {"verdict", verdict_word(contents)},
      {"reasons", verdict == nullptr ? Json::array() : Json(verdict->reasons)},
      {"started", verdict == nullptr ? Json(nullptr) : Json(verdict->started)},
      {"duration_s", contents.span_s},
      {"meaning", meaning.headline + (meaning.detail.empty() ? "" : " " + meaning.detail)},
      {"rerun", again.empty() ? Json(nullptr) : Json(again)},
      {"dropouts", verdict == nullptr ? 0 : verdict->dropouts.size()},
      {"incidents", incidents},
      {"loads", loads},
      {"windows", windows},
      {"problems", contents.problems}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
