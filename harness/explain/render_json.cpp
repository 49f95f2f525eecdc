// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

Json word(std::string_view text) { return std::string{text}; }

Json id_or_null(const std::string& id) { return id.empty() ? Json(nullptr) : Json(id); }

// Numbers a lens could not give are null; 0 would look like an answer.
Json number_or_null(std::int32_t number) { return number == 0 ? Json(nullptr) : Json(number); }

Json node_json(const ExplainedNode& node) {
  const bool task = node.kind == NodeKind::task;
  Json json;
  json["id"] = node.id;
  json["kind"] = word(to_word(node.kind));
  json["label"] = node.label;
  json["comm"] = node.comm;
  json["tid"] = number_or_null(node.tid);
  json["tgid"] = number_or_null(node.tgid);
  json["state"] = task ? std::string(1, node.state) : std::string{};
  json["role"] = node.role == Role::none ? Json(nullptr) : word(to_word(node.role));
  json["stack"] = node.stack;
  json["note"] = node.note;
  return json;
}

Json edge_json(const ExplainedEdge& edge) {
  Json json;
  json["from"] = edge.from;
  json["to"] = edge.to;
  json["kind"] = word(to_word(edge.kind));
  json["mode"] = edge.mode ? word(to_word(*edge.mode)) : Json(nullptr);
  json["certainty"] = word(to_word(edge.certainty));
  json["evidence"] = edge.evidence;
  return json;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json mode_or_null(const std::optional<LockMode>& mode) {
  return mode ? word(to_word(*mode)) : Json(nullptr);
}

Json owner_json(const ReportOwner& owner) {
  Json json;
  json["lock"] = word(to_word(owner.lock));
  json["waits"] = mode_or_null(owner.waits);
  json["task"] = text_or_null(owner.task);
  json["pid"] = number_or_null(owner.pid);
  json["holds"] = mode_or_null(owner.holds);
  json["line"] = owner.line;
  return json;
}

Json report_json(const LogReport& report) {
  Json json;
  json["kind"] = word(to_word(report.kind));
  json["task"] = text_or_null(report.task);
  json["pid"] = report.pid < 0 ? Json(nullptr) : Json(report.pid);
  json["state"] = report.state == '?' ? Json(nullptr) : Json(std::string(1, report.state));
  json["seconds"] = report.seconds ? Json(*report.seconds) : Json(nullptr);
  json["function"] = text_or_null(report.function);
  json["title"] = report.title;
  json["line"] = report.line;
  json["owners"] = Json::array();
  for (const ReportOwner& owner : report.owners) json["owners"].push_back(owner_json(owner));
  return json;
}

}  // namespace

std::string render_json(const Explanation& explanation) {
  Json json;
  json["class"] = explanation.stall_class;
  json["signature"] = explanation.signature;
  json["summary"] = explanation.summary;
  json["nodes"] = Json::array();
  for (const ExplainedNode& node : explanation.nodes) json["nodes"].push_back(node_json(node));
  json["edges"] = Json::array();
  for (const ExplainedEdge& edge : explanation.edges) json["edges"].push_back(edge_json(edge));
  json["cycle"] = explanation.cycle ? Json(*explanation.cycle) : Json(nullptr);
  json["root"]["holder"] = id_or_null(explanation.root.holder);
  json["root"]["first_writer"] = id_or_null(explanation.root.first_writer);
  json["root"]["lock"] = id_or_null(explanation.root.lock);
  json["advice"] = explanation.advice;
  json["lens"] = word(to_word(explanation.lens));
  json["blind_spots"] = explanation.blind_spots;
  if (explanation.reports) {
    json["reports"] = Json::array();
    for (const LogReport& report : *explanation.reports)
      json["reports"].push_back(report_json(report));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stallproof
