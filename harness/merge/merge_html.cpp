// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/markup.h"
#include "harness/explain/render.h"
#include "harness/gate/gate_words.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merge_words.h"
#include "harness/merge/node_rows.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/stored_picture.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kGroupsShown = 200;
constexpr std::size_t kStallsShown = 300;
constexpr std::size_t kFindingsShown = 300;
constexpr std::size_t kGraphsDrawn = 8;
// More rows than these are folded up: the picture of all nodes is to be seen first.
constexpr std::size_t kRowsOpen = 40;

constexpr const char* kStyle =
    ".rows { width: 100%; } .rows th, .rows td { padding: 0 .6rem 0 0; border: 0; font-size: 12px; "
    "line-height: 1.2; white-space: nowrap; vertical-align: middle; } .rows svg { display: block; "
    "border-radius: 2px; } .rows td.wide { width: 70%; background: var(--plot); padding: 1px 0; "
    "}\n";

// Nothing is loaded from anywhere, and no script runs.
std::string head_of(const Merged& merged) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' "
      "data:; style-src 'unsafe-inline'\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}: {} nodes</title>\n<style>\n{}{}</style>\n</head>\n<body>\n",
      outcome_name(merged.outcome), merged.nodes.size(), report_style(), kStyle);
}

std::string finding_list(const std::string& heading, const std::vector<MergeFinding>& findings) {
  if (findings.empty()) return {};
  std::string out = fmt::format("<h3>{}</h3>\n<ul>\n", heading);
  for (std::size_t i = 0; i < std::min(findings.size(), kFindingsShown); ++i)
    out += fmt::format("<li>{}</li>\n", escaped_markup(finding_words(findings[i])));
  if (findings.size() > kFindingsShown)
    out += fmt::format("<li>and {} more</li>\n", findings.size() - kFindingsShown);
  return out + "</ul>\n";
}

std::string verdict_part(const Merged& merged) {
  std::string out = fmt::format(
      "<header>\n<h1><span class=\"badge {0}\">{0}</span> {1} nodes{2}</h1>\n<p>{3}</p>\n",
      outcome_name(merged.outcome), merged.expected,
      merged.build.empty() ? "" : ", build " + escaped_markup(merged.build),
      escaped_markup(merge_sentence(merged)));
  std::string skew, apart;
  if (merged.start_skew_ms) skew = span_words(*merged.start_skew_ms / 1e3);
  if (merged.clocks_apart_ms) apart = span_words(*merged.clocks_apart_ms / 1e3);
  out += fact_list({{"Counted", fmt::format("{} of {}", merged.counted, merged.expected)},
                    {"Node-hours", amount_words(merged.node_hours)},
                    {"Loads began within", skew},
                    {"Clocks from rank 0's, at most", apart}});
  return out +
         "<nav aria-label=\"Sections\"><a href=\"#verdict\">Verdict</a> <a "
         "href=\"#together\">Began "
         "together</a> <a href=\"#nodes\">Nodes over time</a> <a href=\"#speed\">Throughput</a> <a "
         "href=\"#stalls\">Stalls</a></nav>\n</header>\n";
}

std::string findings_part(const Merged& merged) {
  std::string out = "<section id=\"verdict\">\n<h2>What it means</h2>\n";
  if (merged.rate_bound)
    out += fmt::format(
        "<p class=\"zero\">{} in {} node-hours: at most {} per node-hour (95 % confidence).</p>\n",
        counted(merged.failing_stalls, "failing stall"), amount_words(merged.node_hours),
        bound_words(*merged.rate_bound));
  else
    out += "<p class=\"zero\">No node-hour counts: nothing follows about the rate of stalls.</p>\n";
  out += finding_list("Failed", merged.failures) + finding_list("Not known", merged.doubts) +
         finding_list("Notes", merged.notes);
  return out + "</section>\n";
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

std::string together_part(const Merged& merged, const TimeAxis& axis) {
  std::string out = "<section id=\"together\">\n<h2>Stalls that began together</h2>\n";
  if (merged.together.empty())
    return out + "<p>No stalls of two nodes began at the same time.</p>\n</section>\n";
  ReportTable table{
      .caption = "What several nodes share (a server, a network, a lock) shows as one line here",
      .headings = {"began", "nodes", "within", "failing", "signature", "which"},
      .numbers = {false, true, true, false, false, false}};
  for (std::size_t i = 0; i < std::min(merged.together.size(), kGroupsShown); ++i) {
    const auto& group = merged.together[i];
    const auto names = node_names(merged, group);
    const double within = group.back().onset_ms - group.front().onset_ms;
    table.rows.push_back({axis.moment(onset_ms_of(merged, group.front()) / 1e3),
                          fmt::format("{}", names.size()), span_words(within / 1e3),
                          any_failing(merged, group) ? "yes" : "no",
                          joined(signatures_of(merged, group)), names_words(names)});
  }
  out += html_table(table);
  if (merged.together.size() > kGroupsShown)
    out += fmt::format("<p>and {} more times</p>\n", merged.together.size() - kGroupsShown);
  return out + "</section>\n";
}

std::string legend() {
  std::string out = "<div class=\"key\">";
  for (const StateColor& state : state_colors())
    out += fmt::format(
        "<span><svg width=\"16\" height=\"10\" aria-hidden=\"true\"><rect width=\"16\" "
        "height=\"10\" fill=\"{}\"/></svg> {}</span>\n",
        state.color, state.word);
  return out + "</div>\n";
}

std::string standing_cell(const MergedNode& node) {
  const std::string word = node.standing == Standing::counted
                               ? outcome_name(node.result.verdict.outcome)
                               : standing_word(node.standing);
  return fmt::format("<td title=\"{}\">{}</td>", escaped_markup(one_line(node.why)), word);
}

std::string rows_begin(const std::string& caption, const TimeAxis& axis,
                       const std::string& headings) {
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table "
      "class=\"rows\" "
      "width=\"100%\"><caption>{0}</caption><thead><tr><th scope=\"col\">node</th><td "
      "class=\"wide\" "
      "width=\"70%\">{1}</td>{2}</tr></thead>\n<tbody>\n",
      caption, axis_labels(axis), headings);
}

std::string name_cell(const MergedNode& node) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td class=\"wide\">",
                     escaped_markup(one_line(node.name)));
}

std::string matrix_part(const Merged& merged, const TimeAxis& axis) {
  std::string out = "<section id=\"nodes\">\n<h2>Nodes over time</h2>\n" + legend();
  out += rows_begin("What each node was in", axis,
                    "<th scope=\"col\">verdict</th><th scope=\"col\">stalls</th>");
  for (std::size_t i = 0; i < merged.nodes.size(); ++i) {
    const MergedNode& node = merged.nodes[i];
    out += name_cell(node) + state_row(merged, i, axis) + "</td>" + standing_cell(node) +
           fmt::format("<td>{}</td></tr>\n", node.result.stalls);
  }
  return out + "</tbody></table></div>\n</section>\n";
}

std::string speed_cells(const MergedNode& node) {
  const NodeWork work = work_of(node.result.verdict);
  const double seconds = node.result.verdict.duration_s;
  const auto cell = [](const std::string& text) {
    return "<td class=\"n\">" + escaped_markup(text) + "</td>";
  };
  const bool known = seconds > 0 && work.ops > 0;
  return cell(known ? count_words(static_cast<double>(work.ops) / seconds) : "") +
         cell(known ? bytes_words(static_cast<std::uint64_t>(
                          std::min(static_cast<double>(work.bytes) / seconds, 1e18))) +
                          "/s"
                    : "") +
         cell(work.p99_us ? micros_words(*work.p99_us) : "") +
         cell(work.max_us ? micros_words(*work.max_us) : "");
}

std::string speed_part(const Merged& merged, const std::vector<Activity>& activities,
                       const TimeAxis& axis) {
  const ValueScale scale = speed_scale(activities);
  const std::string caption =
      fmt::format("Operations per second of each node, from 0 to {}", count_words(scale.high));
  std::string rows = rows_begin(caption, axis,
                                "<th scope=\"col\" class=\"n\">ops/s</th><th scope=\"col\" "
                                "class=\"n\">data</th><th scope=\"col\" class=\"n\">p99</th><th "
                                "scope=\"col\" class=\"n\">longest</th>");
  for (std::size_t i = 0; i < merged.nodes.size(); ++i)
    rows += name_cell(merged.nodes[i]) + speed_row(merged, i, activities[i], axis, scale) +
            "</td>" + speed_cells(merged.nodes[i]) + "</tr>\n";
  rows += "</tbody></table></div>\n";
  return fmt::format(
      "<section id=\"speed\">\n<h2>Throughput</h2>\n<p class=\"soft\">Of each column of time the "
      "slowest and the fastest second; p99 and longest are those of the node's slowest "
      "load.</p>\n<details{}><summary>{} nodes</summary>\n{}</details>\n</section>\n",
      merged.nodes.size() <= kRowsOpen ? " open" : "", merged.nodes.size(), rows);
}

std::string stall_table(const Merged& merged, const TimeAxis& axis) {
  ReportTable table{
      .caption = "Stalls of all nodes, failing ones first",
      .headings = {"node", "class", "began", "lasted", "failing", "signature", "evidence"},
      .numbers = {false, false, false, true, false, false, false}};
  for (std::size_t i = 0; i < std::min(merged.stalls.size(), kStallsShown); ++i) {
    const StallBegin& stall = merged.stalls[i];
    const StallEntry& entry = merged.entry_of(stall);
    const MergedNode& node = merged.nodes[stall.node];
    table.rows.push_back(
        {node.name, entry.stall_class, axis.moment(onset_ms_of(merged, stall) / 1e3),
         entry.resolved_ms ? span_words((*entry.resolved_ms - entry.onset_ms) / 1e3)
                           : "never resolved",
         entry.failing ? "yes" : "no", entry.signature, evidence_folder(node, entry)});
  }
  return html_table(table);
}

std::string explanation_part(const Merged& merged, const StallEvidence& each, bool draw) {
  const StoredExplanation& told = *each.incident.explanation;
  std::string out =
      fmt::format("<article>\n<h3>{}</h3>\n<p><code>{}</code></p>\n<p>{}</p>\n",
                  escaped_markup(stall_words(merged, merged.stalls[each.place])),
                  escaped_markup(one_line(merged.entry_of(merged.stalls[each.place]).signature)),
                  escaped_markup(told.summary));
  if (draw && !told.edges.empty())
    out += "<div class=\"graph\">" + render_svg(explanation_of(told), SvgUse::page) + "</div>\n";
  if (!told.advice.empty())
    out += fmt::format("<p>What to do: {}</p>\n", escaped_markup(told.advice));
  if (!each.incident.explanation_text.empty())
    out += fmt::format("<details><summary>As text</summary><pre>{}</pre></details>\n",
                       escaped_markup(each.incident.explanation_text));
  return out + "</article>\n";
}

std::string stalls_part(const Merged& merged, const std::vector<StallEvidence>& evidence,
                        const TimeAxis& axis) {
  std::string out = "<section id=\"stalls\">\n<h2>Stalls</h2>\n";
  if (merged.stalls.empty()) return out + "<p>No stall.</p>\n</section>\n";
  out += stall_table(merged, axis);
  if (merged.stalls.size() > kStallsShown)
    out += fmt::format("<p>and {} more, in verdict.json and in the nodes' own results</p>\n",
                       merged.stalls.size() - kStallsShown);
  std::size_t drawn = 0;
  for (const StallEvidence& each : evidence)
    if (each.incident.explanation) out += explanation_part(merged, each, ++drawn <= kGraphsDrawn);
  return out + "</section>\n";
}

}  // namespace

std::string merge_html(const Merged& merged, const std::vector<Activity>& activities,
                       const std::vector<StallEvidence>& evidence) {
  const TimeAxis axis = fleet_axis(merged);
  std::string page = head_of(merged) + verdict_part(merged) + "<main>\n" + findings_part(merged);
  page += together_part(merged, axis) + matrix_part(merged, axis);
  page += speed_part(merged, activities, axis) + stalls_part(merged, evidence, axis);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace stallproof
