// SPDX-License-Identifier: Apache-2.0
// The JSON files of a run directory other than its verdict.
#include <fmt/format.h>

#include "harness/base/json_fields.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

StoredNode node_of(JsonFields& in) {
  StoredNode node;
  in.require("id");
  in.text("id", node.id);
  in.text("kind", node.kind);
  in.text("label", node.label);
  in.text("comm", node.comm);
  in.maybe("tid", node.tid);
  in.maybe("tgid", node.tgid);
  in.text("state", node.state);
  in.text_or_null("role", node.role);
  in.texts("stack", node.stack);
  in.text("note", node.note);
  return node;
}

StoredEdge edge_of(JsonFields& in) {
  StoredEdge edge;
  for (const char* key : {"from", "to", "kind"}) in.require(key);
  in.text("from", edge.from);
  in.text("to", edge.to);
  in.text("kind", edge.kind);
  in.text_or_null("mode", edge.mode);
  in.text("certainty", edge.certainty);
  in.text("evidence", edge.evidence);
  return edge;
}

StoredSupport support_of(JsonFields& in) {
  StoredSupport support;
  in.text("detector", support.detector);
  in.text("what", support.what);
  in.number("since_ms", support.since_ms);
  in.count("count", support.count);
  return support;
}

template <class Stored, class Read>
Result<Stored> parse_fields(std::string_view text, const std::string& name, Read read) {
  const auto document = parse_json_object(text, name);
  if (!document) return Failure(document.error());
  std::string problem;
  JsonFields in(*document, "", problem);
  Stored stored;
  read(in, stored);
  if (!problem.empty()) return fail(fmt::format("{}: {}", name, problem), Origin::infra);
  return stored;
}

}  // namespace

Result<StoredExplanation> parse_explanation(std::string_view text, const std::string& name) {
  return parse_fields<StoredExplanation>(text, name, [](JsonFields& in, StoredExplanation& told) {
    in.require("class");
    in.text("class", told.stall_class);
    in.text("signature", told.signature);
    in.text("summary", told.summary);
    in.each("nodes", [&](JsonFields& below) { told.nodes.push_back(node_of(below)); });
    in.each("edges", [&](JsonFields& below) { told.edges.push_back(edge_of(below)); });
    if (!in.is_null("cycle")) {
      std::vector<std::string> ids;
      in.texts("cycle", ids);
      if (!ids.empty()) told.cycle = std::move(ids);
    }
    in.object("root", [&](JsonFields& below) {
      below.text_or_null("holder", told.root_holder);
      below.text_or_null("first_writer", told.root_first_writer);
      below.text_or_null("lock", told.root_lock);
    });
    in.text("advice", told.advice);
    in.text("lens", told.lens);
    in.texts("blind_spots", told.blind_spots);
  });
}

Result<StoredIncident> parse_incident(std::string_view text, const std::string& name) {
  return parse_fields<StoredIncident>(text, name, [](JsonFields& in, StoredIncident& incident) {
    in.text("id", incident.id);
    in.text("class", incident.stall_class);
    in.text("signature", incident.signature);
    in.number("onset_ms", incident.onset_ms);
    in.number("detected_ms", incident.detected_ms);
    if (!in.is_null("resolved_ms")) {
      double resolved = 0;
      in.require("resolved_ms");
      in.number("resolved_ms", resolved);
      incident.resolved_ms = resolved;
    }
    in.texts("loads", incident.loads);
    in.texts("sources", incident.sources);
    in.texts("detectors", incident.detectors);
    in.each("support", [&](JsonFields& below) { incident.support.push_back(support_of(below)); });
    in.count("blocked_tasks", incident.blocked_tasks);
    in.flag("cycle_confirmed", incident.cycle_confirmed);
  });
}

Result<StoredEnvironment> parse_environment(std::string_view text, const std::string& name) {
  return parse_fields<StoredEnvironment>(text, name, [](JsonFields& in, StoredEnvironment& env) {
    in.text("node", env.node);
    in.text("kernel", env.kernel);
    in.text("kernel_version", env.kernel_version);
    in.text("machine", env.machine);
    in.text("tool_version", env.tool_version);
    in.whole("cpus", env.cpus);
  });
}

}  // namespace stallproof
