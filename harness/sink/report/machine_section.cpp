// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

std::string settings_of(const Verdict& verdict) {
  if (verdict.settings.empty()) return {};
  return "<details><summary>Settings</summary>\n" + html_table(settings_table(verdict)) +
         "</details>\n";
}

}  // namespace

std::string loads_section(const RunContents& contents) {
  std::string out = "<section id=\"loads\">\n<h2>Loads</h2>\n";
  if (!contents.run.verdict || contents.run.verdict->workloads.empty())
    return out + "<p>The verdict tells of none.</p>\n</section>\n";
  const Verdict& verdict = *contents.run.verdict;
  out += html_table(load_table(verdict));
  if (verdict.command_exit)
    out += fmt::format("<p>The command ended with {}.</p>\n", *verdict.command_exit);
  return out + "</section>\n";
}

std::string machine_section(const RunContents& contents) {
  std::string out = "<section id=\"machine\">\n<h2>Environment</h2>\n";
  const std::vector<Fact> facts = machine_facts(contents);
  out += facts.size() > 1 ? fact_list(facts) : "<p>Not told.</p>\n";
  if (contents.run.verdict) out += settings_of(*contents.run.verdict);
  if (!contents.run.plan.empty())
    out += fmt::format("<details><summary>plan.toml</summary>\n<pre>{}</pre></details>\n",
                       escaped_markup(shown_plan(contents)));
  return out + "</section>\n";
}

std::string observer_section(const RunContents& contents) {
  std::string out = "<section id=\"observer\">\n<h2>How well it was watched</h2>\n";
  if (!contents.run.verdict) return out + "<p>Not told.</p>\n</section>\n";
  out += fact_list(observer_facts(*contents.run.verdict));
  return out + "</section>\n";
}

}  // namespace stallproof
