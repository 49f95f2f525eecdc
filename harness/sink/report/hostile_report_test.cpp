// SPDX-License-Identifier: Apache-2.0
// Names that a hostile program, path or label could choose stay text in every form of a report.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/markup.h"
#include "harness/explain/render.h"
#include "harness/sink/report/report.h"
#include "harness/sink/report/testing/made_run.h"

namespace stallproof {
namespace {

using namespace testing_report;

const std::string kEvil =
    "\"><script>alert(1)</script><img src=x onerror=alert(2)> ]]> --> </title></style></textarea>"
    "\n'`|*_[a](javascript:x)\xff\xfe\xed\xa0\x80\x1b[31m";

RunContents evil_run() {
  RunContents contents;
  Verdict verdict = quiet_verdict(100);
  verdict.run = verdict.node = verdict.kernel = verdict.target_path = verdict.target_fstype = kEvil;
  verdict.target_source = verdict.scenario = verdict.tool_version = kEvil;
  verdict.reasons = verdict.left_behind = {kEvil};
  verdict.labels[kEvil] = kEvil;
  verdict.settings[kEvil] = kEvil;
  verdict.workloads[kEvil] = {.ops = 1};
  verdict.load_thresholds[kEvil] = {};
  verdict.dropouts.push_back({kEvil, 1000, 3000, 0.01});
  verdict.suspected.push_back({kEvil, 1000, 2000});
  verdict.observer.blind_spots = {kEvil};
  verdict.observer.lens = kEvil;
  verdict.observer.canary = CanaryEntry{.fault = kEvil, .problem = kEvil};
  verdict.captures.policy = kEvil;
  verdict.captures.problems = {kEvil};
  verdict.target_modules = {{kEvil, kEvil, kEvil}};
  verdict.target_server = FsServerEntry{7, kEvil, kEvil};
  contents.run.verdict = verdict;
  contents.run.id = contents.run.directory = contents.run.plan = kEvil;
  contents.run.environment = StoredEnvironment{kEvil, kEvil, kEvil, kEvil, kEvil, 2};
  contents.problems = {kEvil};
  contents.windows = {{1, 2, kEvil, kEvil}};
  contents.span_s = 100;
  LoadSeries load;
  load.name = kEvil;
  load.points = {{.t_s = 1, .per_second = 5}, {.t_s = 2, .per_second = 6}};
  load.has_latency = load.has_oldest = true;
  load.heat.emplace(100);
  load.heat->add(1, 5, 5);
  contents.loads = {load};
  ReportIncident incident;
  StoredExplanation told{
      .stall_class = kEvil, .signature = kEvil, .summary = kEvil, .advice = kEvil};
  told.nodes = {{.id = "a",
                 .kind = kEvil,
                 .label = kEvil,
                 .state = kEvil,
                 .role = kEvil,
                 .note = kEvil,
                 .stack = {kEvil}},
                {.id = "b", .kind = "lock", .label = kEvil}};
  told.edges = {{"a", "b", "waits_for", "read", "exact", kEvil}};
  told.blind_spots = {kEvil};
  incident.stored = {.id = kEvil,
                     .stall_class = kEvil,
                     .signature = kEvil,
                     .loads = {kEvil},
                     .sources = {kEvil},
                     .detectors = {kEvil},
                     .support = {{kEvil, kEvil}}};
  incident.stored.explanation = told;
  incident.files = {{kEvil, 1}};
  incident.around = {load};
  contents.incidents = {incident, incident};
  contents.beside = true;
  return contents;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(HostileNames, AreTextInTheStaticPage) {
  const std::string page = html_report(evil_run(), false);
  for (const char* part : {"<script", "<img", "onerror=alert(2)>", "\x1b", "]]>", "--> "})
    EXPECT_EQ(count(page, part), 0U) << part;
  EXPECT_EQ(count(page, "</style>"), 1U);
  EXPECT_EQ(count(page, "</html>"), 1U);
  EXPECT_EQ(page, valid_utf8(page));
  EXPECT_GT(count(page, "&lt;script&gt;alert(1)"), 30U);
}

TEST(HostileNames, CannotEndTheDataOfThePagesScript) {
  const std::string page = html_report(evil_run(), true);
  // Data and script, where uPlot was there at build time; never one of the names.
  EXPECT_EQ(count(page, "<script"), count(page, "</script"));
  EXPECT_LE(count(page, "<script"), 2U);
  EXPECT_EQ(count(page, "<img"), 0U);
}

// What lies between two runs of as many backticks is code, and safe there.
std::string without_code(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of('`', at), text.size());
    if (end == at || (at > 0 && text[at - 1] == '\\')) {
      out += text[at++];
      continue;
    }
    const std::string fence = text.substr(at, end - at);
    std::size_t close = text.find(fence, end);
    while (close != std::string::npos && text.find_first_not_of('`', close) != close + fence.size())
      close = text.find(fence, text.find_first_not_of('`', close));
    if (close == std::string::npos) return out + "(no end of code)";
    at = close + fence.size();
  }
  return out;
}

TEST(HostileNames, AreTextInMarkdownAndJson) {
  const std::string whole = markdown_report(evil_run());
  const std::string text = without_code(whole);
  EXPECT_EQ(count(text, "(no end of code)"), 0U);
  EXPECT_EQ(count(text, "<script"), 0U);
  EXPECT_EQ(count(text, "[a]("), 0U);
  EXPECT_EQ(whole, valid_utf8(whole));
  EXPECT_TRUE(nlohmann::json::accept(json_report(evil_run())));
}

}  // namespace
}  // namespace stallproof
