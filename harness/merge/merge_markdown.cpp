// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/markup.h"
#include "harness/gate/gate_words.h"
#include "harness/gate/mermaid.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merge_words.h"
#include "harness/sink/report/time_axis.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kRowsShown = 100;
constexpr std::size_t kDrawn = 3;  // wait-for graphs

std::string escaped(const std::string& text) { return escaped_markdown(one_line(text)); }

std::string list(const std::string& heading, const std::vector<MergeFinding>& findings) {
  if (findings.empty()) return {};
  std::string text = "\n**" + heading + "**\n\n";
  for (std::size_t i = 0; i < std::min(findings.size(), kRowsShown); ++i)
    text += "- " + escaped(finding_words(findings[i])) + "\n";
  if (findings.size() > kRowsShown)
    text += fmt::format("- and {} more\n", findings.size() - kRowsShown);
  return text;
}

std::string together_list(const Merged& merged) {
  if (merged.together.empty()) return {};
  std::string text = "\n**Began together**\n\n| at | what | nodes |\n|---|---|---|\n";
  for (std::size_t i = 0; i < std::min(merged.together.size(), kRowsShown); ++i) {
    const auto& group = merged.together[i];
    text += fmt::format(
        "| {} | {} | {} |\n", escaped(run_time(onset_ms_of(merged, group.front()) / 1e3)),
        escaped(together_words(merged, group)), escaped(names_words(node_names(merged, group))));
  }
  return text;
}

// Nodes that a reader has to look at come first.
std::vector<const MergedNode*> worst_first(const Merged& merged) {
  std::vector<const MergedNode*> nodes;
  for (const MergedNode& node : merged.nodes) nodes.push_back(&node);
  const auto weight = [](const MergedNode* node) {
    if (node->result.failing_stalls > 0 || node->standing == Standing::died) return 0;
    if (node->standing != Standing::counted) return 1;
    return node->result.verdict.outcome == Outcome::pass ? 3 : 2;
  };
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](const auto* one, const auto* other) { return weight(one) < weight(other); });
  return nodes;
}

std::string node_table(const Merged& merged) {
  std::string text =
      "\n| node | verdict | stalls | failing | ops/s | |\n|---|---|--:|--:|--:|---|\n";
  const auto nodes = worst_first(merged);
  for (std::size_t i = 0; i < std::min(nodes.size(), kRowsShown); ++i) {
    const MergedNode& node = *nodes[i];
    const double seconds = node.result.verdict.duration_s;
    const double ops = static_cast<double>(work_of(node.result.verdict).ops);
    text +=
        fmt::format("| {} | {} | {} | {} | {} | {} |\n", escaped(node.name),
                    node.standing == Standing::counted ? outcome_name(node.result.verdict.outcome)
                                                       : standing_word(node.standing),
                    node.result.stalls, node.result.failing_stalls,
                    seconds > 0 ? count_words(ops / seconds) : "", escaped(node.why));
  }
  if (nodes.size() > kRowsShown)
    text += fmt::format("\nand {} nodes more\n", nodes.size() - kRowsShown);
  return text;
}

std::string explanations(const Merged& merged, const std::vector<StallEvidence>& evidence) {
  std::string text;
  std::size_t drawn = 0;
  for (const StallEvidence& each : evidence) {
    const auto& told = each.incident.explanation;
    if (!told || drawn == kDrawn) continue;
    ++drawn;
    const StallBegin& stall = merged.stalls[each.place];
    text += fmt::format("\n**{}**\n\nSignature {}\n", escaped(stall_words(merged, stall)),
                        markdown_code(one_line(merged.entry_of(stall).signature)));
    if (!told->summary.empty()) text += "\n" + escaped(told->summary) + "\n";
    const std::string graph = mermaid_flowchart(*told);
    if (!graph.empty()) text += "\n```mermaid\n" + graph + "```\n";
    if (!told->advice.empty()) text += "\nWhat to do: " + escaped(told->advice) + "\n";
  }
  return text;
}

}  // namespace

std::string merge_markdown(const Merged& merged, const std::vector<StallEvidence>& evidence) {
  std::string text = escaped(merge_sentence(merged)) + "\n";
  text += together_list(merged) + list("Failed", merged.failures);
  text += list("Not known", merged.doubts) + node_table(merged);
  return text + explanations(merged, evidence) + list("Notes", merged.notes);
}

}  // namespace stallproof
