// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/gate/gate_forms.h"
#include "harness/gate/gate_words.h"
#include "harness/gate/mermaid.h"

namespace stallproof {
namespace {

std::string escaped(const std::string& text) { return escaped_markdown(one_line(text)); }

// The sentence stays legible as plain text too: only what would begin something is escaped.
std::string sentence_line(const GateReport& report) {
  constexpr std::string_view kBegins = "\\`*_[]|~#@";
  std::string text;
  for (const char letter : one_line(gate_sentence(report))) {
    if (kBegins.find(letter) != std::string_view::npos) text += '\\';
    text += letter == '<' ? "&lt;" : letter == '&' ? "&amp;" : std::string(1, letter);
  }
  return text + "\n";
}

std::string list(const std::string& heading, const std::vector<GateFinding>& findings) {
  if (findings.empty()) return {};
  std::string text = "\n**" + heading + "**\n\n";
  for (const GateFinding& finding : findings) text += "- " + escaped(finding_words(finding)) + "\n";
  return text;
}

std::string stall_section(const GateStall& stall) {
  std::string text = fmt::format(
      "\n**{}: {}, {} on {}**\n\nSignature {}\n", stall.known ? "Known stall" : "Failing stall",
      escaped(stall_words(stall)), escaped(stall.run), escaped(stall.node),
      markdown_code(one_line(stall.entry.signature)));
  if (stall.known)
    text += fmt::format("\nKnown until {}: {}\n", stall.known->until, escaped(stall.known->reason));
  if (stall.known || !stall.explanation) return text;
  if (!stall.explanation->summary.empty())
    text += "\n" + escaped(stall.explanation->summary) + "\n";
  const std::string graph = mermaid_flowchart(*stall.explanation);
  if (!graph.empty()) text += "\n```mermaid\n" + graph + "```\n";
  if (!stall.explanation->advice.empty())
    text += "\nWhat to do: " + escaped(stall.explanation->advice) + "\n";
  return text;
}

const char* change_word(Change change) {
  switch (change) {
    case Change::none:
      return "no change";
    case Change::worse:
      return "**worse**";
    case Change::better:
      return "better";
    case Change::cannot_tell:
      return "cannot tell";
  }
  return "";
}

std::string comparison_section(const GateReport& report) {
  if (!report.comparison || report.comparison->metrics.empty()) return {};
  std::string text = fmt::format(
      "\n**Compared with {}**\n\nOne median per run; exact two-sided Mann-Whitney test.\n\n"
      "| load | metric | before | after | change | p | CV | runs needed | |\n"
      "|---|---|--:|--:|--:|--:|--:|--:|---|\n",
      report.baseline_build.empty() ? "the baseline" : "build " + escaped(report.baseline_build));
  for (const MetricChange& metric : report.comparison->metrics)
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {:.3f} | {:.2f} % | {} | {} |\n", escaped(metric.values.load),
        metric.values.metric, amount_words(metric.median_before), amount_words(metric.median_after),
        change_words(metric.rise), metric.p, metric.variation * 100,
        metric.noisy ? fmt::format("{}", metric.runs_needed) : "", change_word(metric.change));
  return text;
}

}  // namespace

std::string gate_markdown(const GateReport& report) {
  std::string text = sentence_line(report);
  for (const GateStall& stall : report.stalls)
    if (!stall.known) text += stall_section(stall);
  text += list("Failed", report.failures);
  text += list("Not known", report.doubts);
  text += comparison_section(report);
  for (const GateStall& stall : report.stalls)
    if (stall.known) text += stall_section(stall);
  text += list("Notes", report.notes);
  return text;
}

}  // namespace stallproof
