// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "harness/gate/gate_forms.h"
#include "harness/gate/gate_words.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

Json word_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json stall_json(const GateStall& stall) {
  Json known = nullptr;
  if (stall.known) known = {{"until", stall.known->until}, {"reason", stall.known->reason}};
  return {{"run", stall.run},
          {"node", stall.node},
          {"incident", stall.entry.id},
          {"class", stall.entry.stall_class},
          {"signature", stall.entry.signature},
          {"onset", stall.entry.onset},
          {"onset_ms", stall.entry.onset_ms},
          {"resolved_ms", stall.entry.resolved_ms ? Json(*stall.entry.resolved_ms) : Json(nullptr)},
          {"loads", stall.loads},
          {"known", known}};
}

Json findings_json(const std::vector<GateFinding>& findings) {
  Json list = Json::array();
  for (const GateFinding& finding : findings)
    list.push_back({{"run", word_or_null(finding.run)},
                    {"node", word_or_null(finding.node)},
                    {"load", word_or_null(finding.load)},
                    {"what", finding.what}});
  return list;
}

const char* change_word(Change change) {
  switch (change) {
    case Change::none:
      return "none";
    case Change::worse:
      return "worse";
    case Change::better:
      return "better";
    case Change::cannot_tell:
      return "cannot_tell";
  }
  return "none";
}

Json comparison_json(const GateReport& report) {
  if (!report.comparison) return nullptr;
  Json metrics = Json::array();
  for (const MetricChange& metric : report.comparison->metrics)
    metrics.push_back({{"load", metric.values.load},
                       {"metric", metric.values.metric},
                       {"before", metric.values.before},
                       {"after", metric.values.after},
                       {"median_before", metric.median_before},
                       {"median_after", metric.median_after},
                       {"rise", metric.rise},
                       {"p", metric.p},
                       {"cv", metric.variation},
                       {"runs_needed", metric.runs_needed},
                       {"change", change_word(metric.change)}});
  return {{"build", word_or_null(report.baseline_build)},
          {"too_few", word_or_null(report.comparison->too_few)},
          {"metrics", metrics}};
}

Json known_json(const GateReport& report) {
  Json list = Json::array();
  for (const KnownUse& use : report.known)
    list.push_back({{"signature", use.known.signature},
                    {"reason", use.known.reason},
                    {"until", use.known.until},
                    {"seen", use.seen},
                    {"expired", use.expired}});
  return list;
}

Json runs_json(const std::vector<GatedRun>& runs) {
  Json list = Json::array();
  for (const GatedRun& run : runs) {
    const auto& verdict = run.stored.verdict;
    list.push_back({{"run", run.name()},
                    {"directory", run.stored.directory},
                    {"node", verdict ? Json(verdict->node) : Json(nullptr)},
                    {"verdict", verdict ? Json(outcome_name(verdict->outcome)) : Json(nullptr)},
                    {"duration_s", verdict ? Json(verdict->duration_s) : Json(nullptr)}});
  }
  return list;
}

}  // namespace

std::string gate_json(const GateReport& report, const std::vector<GatedRun>& runs) {
  Json stalls = Json::array();
  for (const GateStall& stall : report.stalls) stalls.push_back(stall_json(stall));
  const Json document = {
      {"schema", 1},
      {"summary", gate_sentence(report)},
      {"verdict", outcome_name(report.outcome)},
      {"exit_code", report.exit_code},
      {"build", word_or_null(report.build)},
      {"node_hours", report.node_hours},
      {"nodes", report.nodes},
      {"failing_stalls", report.new_stalls()},
      {"known_stalls", report.known_stalls()},
      {"resolved_stalls", report.resolved_stalls},
      {"rate_bound_per_node_hour", report.rate_bound ? Json(*report.rate_bound) : Json(nullptr)},
      {"canary", {{"seen", report.canaries_seen}, {"absent", report.canaries_absent}}},
      {"stalls", stalls},
      {"failures", findings_json(report.failures)},
      {"doubts", findings_json(report.doubts)},
      {"notes", findings_json(report.notes)},
      {"known", known_json(report)},
      {"comparison", comparison_json(report)},
      {"runs", runs_json(runs)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
