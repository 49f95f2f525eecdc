// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/explain/render.h"

namespace stallproof {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return out + "\"";
}

std::string_view shape(NodeKind kind) {
  if (kind == NodeKind::lock) return "hexagon";
  return kind == NodeKind::task ? "box" : "ellipse";
}

}  // namespace

std::string render_dot(const Explanation& explanation) {
  std::set<std::pair<std::string, std::string>> on_cycle;
  if (explanation.cycle)
    for (std::size_t i = 0; i < explanation.cycle->size(); ++i)
      on_cycle.emplace((*explanation.cycle)[i],
                       (*explanation.cycle)[(i + 1) % explanation.cycle->size()]);
  std::string out = fmt::format("digraph stall {{\n  label={};\n  node [fontname=\"sans\"];\n",
                                quoted(explanation.signature));
  for (const ExplainedNode& node : explanation.nodes) {
    std::string label = node.label;
    if (node.role != Role::none) label += fmt::format(" [{}]", to_word(node.role));
    out += fmt::format("  {} [label={}, shape={}];\n", quoted(node.id), quoted(label),
                       shape(node.kind));
  }
  for (const ExplainedEdge& edge : explanation.edges) {
    std::string label{to_word(edge.kind)};
    if (edge.mode) label += fmt::format(" {}", to_word(*edge.mode));
    if (edge.certainty != Certainty::exact) label += fmt::format(" ({})", to_word(edge.certainty));
    out += fmt::format("  {} -> {} [label={}{}{}];\n", quoted(edge.from), quoted(edge.to),
                       quoted(label), edge.certainty == Certainty::exact ? "" : ", style=dashed",
                       on_cycle.contains({edge.from, edge.to}) ? ", color=red, penwidth=2" : "");
  }
  return out + "}\n";
}

}  // namespace stallproof
