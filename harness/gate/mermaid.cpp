// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/mermaid.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/markup.h"

namespace stallproof {
namespace {

// Mermaid draws no more than this by default ("maxEdges": 500), and nobody reads it.
constexpr std::size_t kMostEdges = 60;
constexpr std::size_t kLongestLabel = 80;

bool is_plain(unsigned char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == ' ' || letter == '-' || letter == '_' ||
         letter == '.' || letter == '/' || letter == ':' || letter == ',' || letter == '(' ||
         letter == ')';
}

// Code point of the UTF-8 sequence at `at`, which valid_utf8() has checked; moves behind it.
std::uint32_t next_code(const std::string& text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  std::uint32_t code = lead & (0x3fU >> more);
  for (int i = 0; i < more && at < text.size(); ++i)
    code = (code << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3fU);
  return code;
}

std::string kind_words(const StoredEdge& edge) {
  std::string words = edge.kind;
  std::replace(words.begin(), words.end(), '_', ' ');
  const bool inferred = edge.certainty == "inferred";
  if (!edge.mode.empty()) words += " (" + edge.mode + (inferred ? ", inferred)" : ")");
  if (edge.mode.empty() && inferred) words += " (inferred)";
  return words;
}

std::string label_of(const StoredNode& node) {
  std::string label = mermaid_text(node.label.empty() ? node.id : node.label);
  if (!node.role.empty()) label += "<br/>" + mermaid_text(node.role);
  if (!node.stack.empty()) label += "<br/>" + mermaid_text(node.stack.front());
  return label;
}

}  // namespace

std::string mermaid_text(const std::string& text) {
  const std::string valid = valid_utf8(shortened(text, kLongestLabel));
  std::string out;
  for (std::size_t at = 0; at < valid.size();) {
    const std::uint32_t code = next_code(valid, at);
    if (code < 0x80 && is_plain(static_cast<unsigned char>(code)))
      out += static_cast<char>(code);
    else if (code < 0x20)
      out += ' ';
    else
      out += fmt::format("#{};", code);
  }
  return out;
}

std::string mermaid_flowchart(const StoredExplanation& explanation) {
  if (explanation.edges.empty()) return {};
  std::map<std::string, std::string> names;
  std::string text = "flowchart LR\n";
  const auto declare = [&](const std::string& id) -> const std::string& {
    auto [found, is_new] = names.emplace(id, fmt::format("n{}", names.size()));
    if (!is_new) return found->second;
    const auto node = std::find_if(explanation.nodes.begin(), explanation.nodes.end(),
                                   [&id](const StoredNode& each) { return each.id == id; });
    const std::string label = node == explanation.nodes.end() ? mermaid_text(id) : label_of(*node);
    text += fmt::format("  {}[\"{}\"]\n", found->second, label);
    return found->second;
  };
  const std::size_t shown = std::min(explanation.edges.size(), kMostEdges);
  for (std::size_t i = 0; i < shown; ++i) {
    const StoredEdge& edge = explanation.edges[i];
    const std::string from = declare(edge.from), to = declare(edge.to);
    text += fmt::format("  {} {}|\"{}\"| {}\n", from, edge.certainty == "inferred" ? "-.->" : "-->",
                        mermaid_text(kind_words(edge)), to);
  }
  if (shown < explanation.edges.size())
    text += fmt::format("  rest[\"{} edges more\"]\n", explanation.edges.size() - shown);
  std::string circle;
  for (const std::string& id : explanation.cycle.value_or(std::vector<std::string>{}))
    if (const auto found = names.find(id); found != names.end())
      circle += (circle.empty() ? "" : ",") + found->second;
  if (!circle.empty())
    text += "  classDef circle stroke:#c00,stroke-width:3px\n  class " + circle + " circle\n";
  return text;
}

}  // namespace stallproof
