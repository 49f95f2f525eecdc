// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

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

std::string dropouts_of(const RunContents& contents) {
  const Verdict& verdict = *contents.run.verdict;
  if (verdict.dropouts.empty()) return "<p>No dropout.</p>\n";
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n",
                     verdict.dropouts.size() <= 6 ? " open" : "", dropout_words(verdict),
                     html_table(dropout_table(contents)));
}

std::string suspected_of(const RunContents& contents) {
  return contents.run.verdict->suspected.empty() ? std::string()
                                                 : html_table(suspected_table(contents));
}

std::string thresholds_text(const Verdict& verdict) {
  const std::vector<std::string> own = own_thresholds(verdict);
  std::string out = fmt::format("<p class=\"soft\">Thresholds: {}.</p>\n",
                                escaped_markup(thresholds_words(verdict)));
  if (own.empty()) return out;
  out += "<ul>\n";
  for (const std::string& each : own) out += fmt::format("<li>{}</li>\n", escaped_markup(each));
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
  if (contents.run.verdict) out += fact_list(head_facts(*contents.run.verdict));
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
  if (const auto& verdict = contents.run.verdict)
    out += left_behind(*verdict) + dropouts_of(contents) + suspected_of(contents) +
           thresholds_text(*verdict);
  if (const std::string command = rerun_command(contents); !command.empty())
    out +=
        fmt::format("<h3>Run it again</h3>\n<pre><code>{}</code></pre>\n", escaped_markup(command));
  return out + "</section>\n";
}

}  // namespace stallproof
