// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kRowsShown = 200;

std::string problem_list(const RunContents& contents) {
  if (contents.problems.empty()) return {};
  std::string out =
      "<div class=\"note\" role=\"note\"><strong>This run directory is not "
      "complete:</strong><ul>\n";
  for (const std::string& problem : contents.problems)
    out += fmt::format("<li>{}</li>\n", escaped_markup(problem));
  return out + "</ul></div>\n";
}

std::string reasons_of(const RunContents& contents) {
  if (!contents.run.verdict) return {};
  std::string out;
  for (const std::string& reason : contents.run.verdict->reasons)
    out += fmt::format("<p>{}</p>\n", escaped_markup(reason));
  return out;
}

std::string labels_of(const Verdict& verdict) {
  std::string words;
  for (const auto& [key, value] : verdict.labels)
    words += fmt::format("{}{}={}", words.empty() ? "" : ", ", key, value);
  return words;
}

std::string thresholds_words(double stall_after_ms, double fail_after_ms, double dropout_below) {
  return fmt::format("a stall after {}, failing after {}, a dropout below {:g} % of the median",
                     span_words(stall_after_ms / 1e3), span_words(fail_after_ms / 1e3),
                     dropout_below * 100);
}

std::string dropout_table(const RunContents& contents) {
  const Verdict& verdict = *contents.run.verdict;
  if (verdict.dropouts.empty()) return "<p>No dropout.</p>\n";
  const TimeAxis axis = axis_of(contents);
  double all_ms = 0;
  HtmlTable table{
      .caption = "Throughput below the threshold for at least 2 s while work was offered",
      .headings = {"load", "began", "lasted", "lowest, % of median"},
      .numbers = {false, false, true, true}};
  for (const DropoutEntry& dropout : verdict.dropouts) {
    all_ms += dropout.duration_ms;
    if (table.rows.size() < kRowsShown)
      table.rows.push_back({dropout.workload, axis.moment(dropout.start_ms / 1e3),
                            span_words(dropout.duration_ms / 1e3),
                            fmt::format("{:.1f}", dropout.min_ratio * 100)});
  }
  return fmt::format("<details{}><summary>{} dropout{}, {} together</summary>\n{}</details>\n",
                     verdict.dropouts.size() <= 6 ? " open" : "", verdict.dropouts.size(),
                     verdict.dropouts.size() == 1 ? "" : "s", span_words(all_ms / 1e3),
                     html_table(table));
}

std::string suspected_table(const RunContents& contents) {
  const Verdict& verdict = *contents.run.verdict;
  if (verdict.suspected.empty()) return {};
  const TimeAxis axis = axis_of(contents);
  HtmlTable table{.caption = "Suspected: no completion, but nobody was seen blocked; never judged",
                  .headings = {"load", "since", "until"}};
  for (const SuspectedEntry& each : verdict.suspected)
    if (table.rows.size() < kRowsShown)
      table.rows.push_back({each.workload, axis.moment(each.since_ms / 1e3),
                            each.until_ms ? axis.moment(*each.until_ms / 1e3) : "the end"});
  return html_table(table);
}

std::string own_thresholds(const Verdict& verdict) {
  if (verdict.load_thresholds.empty()) return {};
  std::string out = "<ul>\n";
  for (const auto& [name, own] : verdict.load_thresholds)
    out += fmt::format(
        "<li>{}: {}</li>\n", escaped_markup(name),
        escaped_markup(thresholds_words(own.stall_after_ms, own.fail_after_ms, own.dropout_below)));
  return out + "</ul>\n";
}

std::string left_behind(const Verdict& verdict) {
  if (verdict.left_behind.empty()) return {};
  std::string out = "<div class=\"note\"><strong>Left behind on the node:</strong><ul>\n";
  for (const std::string& each : verdict.left_behind)
    out += fmt::format("<li>{}</li>\n", escaped_markup(each));
  return out + "</ul></div>\n";
}

}  // namespace

std::string head_section(const RunContents& contents) {
  const std::string word = verdict_word(contents);
  std::string out = fmt::format(
      "<header>\n<h1><span class=\"badge {0}\">{0}</span> {1}</h1>\n{2}{3}", word,
      escaped_markup(contents.run.id.empty() ? contents.run.directory : contents.run.id),
      reasons_of(contents), problem_list(contents));
  if (contents.run.verdict) {
    const Verdict& verdict = *contents.run.verdict;
    out += fact_list(
        {{"Target",
          verdict.target_path +
              (verdict.target_fstype.empty() ? "" : fmt::format(" ({})", verdict.target_fstype))},
         {"Scenario", verdict.scenario},
         {"Node", verdict.node},
         {"Kernel", verdict.kernel},
         {"Started", verdict.started},
         {"Lasted", span_words(verdict.duration_s)},
         {"Labels", labels_of(verdict)}});
  }
  return out +
         "<nav aria-label=\"Sections\"><a href=\"#verdict\">Verdict</a> <a "
         "href=\"#time\">Over time</a> <a href=\"#incidents\">Incidents</a> <a "
         "href=\"#loads\">Loads</a> <a href=\"#machine\">Environment</a> <a "
         "href=\"#observer\">Observer</a></nav>\n</header>\n";
}

std::string verdict_section(const RunContents& contents) {
  const ZeroMeaning meaning = zero_meaning(contents);
  std::string out = fmt::format(
      "<section id=\"verdict\">\n<h2>What it means</h2>\n<p class=\"zero\">{}</p>\n"
      "<p class=\"soft\">{}</p>\n",
      escaped_markup(meaning.headline), escaped_markup(meaning.detail));
  if (const auto& verdict = contents.run.verdict) {
    out += left_behind(*verdict) + dropout_table(contents) + suspected_table(contents);
    out +=
        fmt::format("<p class=\"soft\">Thresholds: {}.</p>\n{}",
                    escaped_markup(thresholds_words(verdict->stall_after_ms, verdict->fail_after_ms,
                                                    verdict->dropout_below)),
                    own_thresholds(*verdict));
  }
  if (const std::string command = rerun_command(contents); !command.empty())
    out +=
        fmt::format("<h3>Run it again</h3>\n<pre><code>{}</code></pre>\n", escaped_markup(command));
  return out + "</section>\n";
}

}  // namespace stallproof
