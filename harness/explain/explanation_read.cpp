// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/explanation_read.h"

#include "harness/base/json_fields.h"
#include "harness/explain/render.h"

namespace stallproof {
namespace {

using Json = nlohmann::json;

constexpr std::array kKinds{NodeKind::task, NodeKind::lock, NodeKind::fuse, NodeKind::device,
                            NodeKind::fs};
constexpr std::array kRoles{Role::none,          Role::holder,  Role::queued_writer,
                            Role::queued_reader, Role::service, Role::idle_service,
                            Role::bystander};
constexpr std::array kEdges{EdgeKind::waits_for, EdgeKind::held_by, EdgeKind::served_by};
constexpr std::array kModes{LockMode::read, LockMode::write};
constexpr std::array kCertainties{Certainty::exact, Certainty::likely, Certainty::inferred};

ExplainedNode read_node(const JsonFields& object) {
  ExplainedNode node;
  std::string state;
  object.text("id", node.id);
  object.word("kind", node.kind, kKinds, to_word);
  object.text("label", node.label);
  object.text("comm", node.comm);
  object.number("tid", node.tid);
  object.number("tgid", node.tgid);
  object.text("state", state);
  if (state.size() == 1) node.state = state[0];
  object.word("role", node.role, kRoles, to_word);
  object.texts("stack", node.stack);
  object.text("note", node.note);
  return node;
}

ExplainedEdge read_edge(const JsonFields& object) {
  ExplainedEdge edge;
  object.text("from", edge.from);
  object.text("to", edge.to);
  object.word("kind", edge.kind, kEdges, to_word);
  if (object.has("mode")) object.word("mode", edge.mode.emplace(), kModes, to_word);
  object.word("certainty", edge.certainty, kCertainties, to_word);
  object.text("evidence", edge.evidence);
  return edge;
}

}  // namespace

Result<Explanation> read_explanation_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail("explanation: not JSON, or cut");
  std::string problem;
  const JsonFields root(document, "", problem, JsonFields::Nulls::absent);
  Explanation explanation;
  root.text("class", explanation.stall_class);
  root.text("signature", explanation.signature);
  root.text("summary", explanation.summary);
  root.each("nodes", [&](const JsonFields& each) { explanation.nodes.push_back(read_node(each)); });
  root.each("edges", [&](const JsonFields& each) { explanation.edges.push_back(read_edge(each)); });
  if (root.has("cycle")) root.texts("cycle", explanation.cycle.emplace());
  root.object("root", [&](const JsonFields& tasks) {
    tasks.text("holder", explanation.root.holder);
    tasks.text("first_writer", explanation.root.first_writer);
    tasks.text("lock", explanation.root.lock);
  });
  root.text("advice", explanation.advice);
  root.texts("blind_spots", explanation.blind_spots);
  if (problem.empty() && explanation.stall_class.empty()) problem = "class: missing";
  if (!problem.empty()) return fail("explanation: " + problem);
  return explanation;
}

}  // namespace stallproof
