// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/stored_picture.h"

#include <array>
#include <set>
#include <string_view>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

// The value whose word it is, else the last one.
template <class Value, std::size_t kCount>
Value value_of(std::string_view word, const std::array<Value, kCount>& values) {
  for (const Value value : values)
    if (to_word(value) == word) return value;
  return values.back();
}

constexpr std::array kNodeKinds{NodeKind::lock, NodeKind::fuse, NodeKind::device, NodeKind::fs,
                                NodeKind::task};
constexpr std::array kRoles{Role::holder,  Role::queued_writer, Role::queued_reader,
                            Role::service, Role::idle_service,  Role::bystander,
                            Role::none};
constexpr std::array kEdgeKinds{EdgeKind::held_by, EdgeKind::served_by, EdgeKind::waits_for};
constexpr std::array kCertainties{Certainty::exact, Certainty::likely, Certainty::inferred};
constexpr std::array kLenses{LensKind::live_bpf, LensKind::live_proc, LensKind::vmcore,
                             LensKind::crash_text};

ExplainedNode node_of(const StoredNode& stored) {
  ExplainedNode node;
  node.id = stored.id;
  node.kind = value_of(stored.kind, kNodeKinds);
  node.label = stored.label;
  node.comm = stored.comm;
  node.tid = stored.tid.value_or(0);
  node.tgid = stored.tgid.value_or(0);
  node.state = stored.state.empty() ? '?' : stored.state.front();
  node.role = value_of(stored.role, kRoles);
  node.stack = stored.stack;
  node.note = stored.note;
  return node;
}

ExplainedEdge edge_of(const StoredEdge& stored) {
  ExplainedEdge edge;
  edge.from = stored.from;
  edge.to = stored.to;
  edge.kind = value_of(stored.kind, kEdgeKinds);
  if (stored.mode == "read") edge.mode = LockMode::read;
  if (stored.mode == "write") edge.mode = LockMode::write;
  edge.certainty = value_of(stored.certainty, kCertainties);
  edge.evidence = stored.evidence;
  return edge;
}

}  // namespace

Explanation explanation_of(const StoredExplanation& stored) {
  Explanation explanation;
  explanation.stall_class = stored.stall_class;
  explanation.signature = stored.signature;
  explanation.summary = stored.summary;
  explanation.advice = stored.advice;
  explanation.blind_spots = stored.blind_spots;
  explanation.lens = value_of(stored.lens, kLenses);
  explanation.root = {stored.root_holder, stored.root_first_writer, stored.root_lock};
  std::set<std::string> ids;
  for (const StoredNode& node : stored.nodes)
    if (ids.insert(node.id).second) explanation.nodes.push_back(node_of(node));
  for (const StoredEdge& edge : stored.edges)
    if (ids.contains(edge.from) && ids.contains(edge.to))
      explanation.edges.push_back(edge_of(edge));
  explanation.cycle = stored.cycle;
  if (stored.cycle)
    for (const std::string& id : *stored.cycle)
      if (!ids.contains(id)) explanation.cycle.reset();
  return explanation;
}

}  // namespace stallproof
