// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/explanation_compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

struct Step {
  std::string part;   // what is compared
  std::string shape;  // what must be the same
  std::string text;   // what is shown
};

const ExplainedNode* find_node(const Explanation& explanation, const std::string& id) {
  const auto found = std::find_if(explanation.nodes.begin(), explanation.nodes.end(),
                                  [&id](const ExplainedNode& node) { return node.id == id; });
  return found == explanation.nodes.end() ? nullptr : &*found;
}

const ExplainedEdge* find_edge(const Explanation& explanation, const std::string& from,
                               const std::string& to) {
  const auto found =
      std::find_if(explanation.edges.begin(), explanation.edges.end(),
                   [&](const ExplainedEdge& edge) { return edge.from == from && edge.to == to; });
  return found == explanation.edges.end() ? nullptr : &*found;
}

// A FUSE connection and another file system's service play the same part.
std::string_view kind_word(NodeKind kind) {
  return kind == NodeKind::fuse || kind == NodeKind::fs ? "file system" : to_word(kind);
}

std::string part_of(const ExplainedNode& node) {
  return std::string(node.role == Role::none ? kind_word(node.kind) : to_word(node.role));
}

// The mode of a wait is part of the stall; whether an edge was read or inferred is the lens's.
Step step_of(const Explanation& explanation, const std::string& id, const std::string& next) {
  const ExplainedNode* const node = find_node(explanation, id);
  if (node == nullptr) return {.part = "unknown", .shape = "unknown", .text = id};
  std::string how;
  if (const ExplainedEdge* const edge = find_edge(explanation, id, next)) {
    how = to_word(edge->kind);
    if (edge->mode) how += fmt::format(" ({})", to_word(*edge->mode));
  }
  const std::string shape =
      fmt::format("{} {} {}", kind_word(node->kind), to_word(node->role), how);
  return {.part = part_of(*node),
          .shape = shape,
          .text = how.empty() ? node->label : fmt::format("{}: {}", node->label, how)};
}

std::vector<Step> steps_of(const Explanation& explanation) {
  std::vector<std::string> ids;
  const bool circle = explanation.cycle.has_value() && !explanation.cycle->empty();
  if (circle) ids = *explanation.cycle;
  if (!circle)
    for (const std::string& id :
         {explanation.root.lock, explanation.root.holder, explanation.root.first_writer})
      if (!id.empty()) ids.push_back(id);
  std::vector<Step> steps;
  for (std::size_t i = 0; i < ids.size(); ++i)
    steps.push_back(step_of(explanation, ids[i], circle ? ids[(i + 1) % ids.size()] : ""));
  return steps;
}

}  // namespace

bool ExplanationComparison::same_nodes() const {
  return std::all_of(nodes.begin(), nodes.end(), [](const NodePair& pair) { return pair.same; });
}

ExplanationComparison compare_explanations(const Explanation& reported,
                                           const Explanation& reproduced) {
  ExplanationComparison comparison{.same_class = reported.stall_class == reproduced.stall_class,
                                   .same_signature = reported.signature == reproduced.signature,
                                   .nodes = {},
                                   .roles = {}};
  const auto left = steps_of(reported);
  const auto right = steps_of(reproduced);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    NodePair& pair = comparison.nodes.emplace_back();
    pair.part = i < left.size() ? left[i].part : right[i].part;
    if (i < left.size()) pair.reported = left[i].text;
    if (i < right.size()) pair.reproduced = right[i].text;
    pair.same = i < left.size() && i < right.size() && left[i].shape == right[i].shape;
  }
  for (const ExplainedNode& node : reported.nodes)
    if (node.role != Role::none) ++comparison.roles[std::string(to_word(node.role))].reported;
  for (const ExplainedNode& node : reproduced.nodes)
    if (node.role != Role::none) ++comparison.roles[std::string(to_word(node.role))].reproduced;
  return comparison;
}

}  // namespace stallproof
