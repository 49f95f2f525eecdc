// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merge_forms.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "harness/gate/gate.h"
#include "harness/merge/merged_verdict.h"
#include "harness/merge/testing/made_fleet.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

// n1 and n2 stalled together, n3 died, n4 passed, n5 left nothing.
Merged troubled() {
  std::vector<NodeResult> results;
  for (int i = 1; i <= 2; ++i)
    results.push_back(good_result("n" + std::to_string(i),
                                  [i](Verdict& verdict) { add_stall(verdict, 60'000 + 200 * i); }));
  results.push_back(good_result("n3"));
  results[2].died = true;
  results[2].verdict.outcome = Outcome::unknown;
  results[2].verdict.reasons = {"node_died_no_vmcore: it booted since"};
  results[2].verdict.duration_s = 4000;
  results.push_back(good_result("n4"));
  return merged_of(std::move(results), "n[1-5]");
}

StallEvidence evidence() {
  StallEvidence each;
  each.place = 0;
  each.incident.id = "001";
  each.incident.loads = {"direct"};
  each.incident.explanation_text = "java 1 waits for itself\n";
  StoredExplanation& told = each.incident.explanation.emplace();
  told.summary = "java 1 waits for itself.";
  told.advice = "Abort it.";
  told.nodes = {{.id = "task:1", .kind = "task", .label = "java 1"},
                {.id = "lock:a", .kind = "lock", .label = "mmap_lock of java"}};
  told.edges = {{"task:1", "lock:a", "waits_for", "write", "exact", ""},
                {"lock:a", "task:1", "held_by", "read", "exact", ""}};
  return each;
}

Verdict verdict_of(const Merged& merged) {
  return merged_verdict(
      merged, {.run = "merge-1", .nodes = "n[1-5]", .tool_version = "0.1.0", .kept = {0}});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(MergeForms, TheTextBeginsWithTheSentenceAndSaysWhereToLook) {
  const std::string text = merge_text(troubled(), "/state/runs/merge-1");
  EXPECT_TRUE(
      text.starts_with("FAIL build 3.2.1: 3 of 5 nodes counted, 2 failing stalls in 30 "
                       "node-hours"))
      << text;
  EXPECT_TRUE(has(text, "2 nodes stalled within 200 ms, same signature")) << text;
  EXPECT_TRUE(has(text, "stallproof show /results/n1 --at 001")) << text;
  EXPECT_TRUE(has(text, "n3: node_died_no_vmcore")) << text;
  EXPECT_TRUE(has(text, "n5: missing")) << text;
  EXPECT_TRUE(text.ends_with("/state/runs/merge-1/report.html\n"));
}

TEST(MergeForms, JunitHasASuiteOfEachNodeAndOneOfAll) {
  pugi::xml_document document;
  const std::string text = merge_junit(troubled(), {evidence()});
  ASSERT_TRUE(document.load_string(text.c_str()));
  const auto suites = document.child("testsuites");
  EXPECT_EQ(std::distance(suites.begin(), suites.end()), 6);
  const auto suite = [&suites](const char* name) {
    return suites.find_child_by_attribute("testsuite", "name", name);
  };
  const auto stalled = suite("n1").find_child_by_attribute("testcase", "name", "direct");
  EXPECT_TRUE(has(stalled.child("failure").attribute("message").value(), "stalled: "));
  EXPECT_TRUE(has(stalled.child("system-out").text().get(), "java 1 waits for itself"));
  const auto died = suite("n3").find_child_by_attribute("testcase", "name", "whole run");
  EXPECT_STREQ(died.child("failure").attribute("type").value(), "node_died");
  const auto missing = suite("n5").find_child_by_attribute("testcase", "name", "whole run");
  EXPECT_TRUE(has(missing.child("error").attribute("message").value(), "missing"));
  EXPECT_EQ(suite("n4").attribute("failures").as_int(), 0);
  EXPECT_EQ(suite("all nodes").attribute("failures").as_int(), 1);
  EXPECT_EQ(suite("all nodes").attribute("errors").as_int(), 1);
}

TEST(MergeForms, MarkdownShowsTheWorstNodesFirstAndTheGraph) {
  const std::string text = merge_markdown(troubled(), {evidence()});
  EXPECT_LT(text.find("| n1 |"), text.find("| n5 |"));
  EXPECT_LT(text.find("| n5 |"), text.find("| n4 |"));
  EXPECT_TRUE(has(text, "```mermaid\nflowchart LR")) << text;
}

TEST(MergeForms, ThePageShowsEveryNodeAndRunsNoScript) {
  const Merged merged = troubled();
  std::vector<Activity> activities(merged.nodes.size());
  activities[0].columns[3] = {10, 20};
  activities[0].columns[4] = {0, 20};
  const std::string page = merge_html(merged, activities, {evidence()});
  for (const char* node : {"n1", "n2", "n3", "n4", "n5"})
    EXPECT_TRUE(has(page, std::string("<th scope=\"row\">") + node + "</th>")) << node;
  EXPECT_TRUE(has(page, "fill=\"#b91c1c\"><title>incident 001: "));  // without a style sheet
  EXPECT_TRUE(has(page, "2 nodes"));
  EXPECT_TRUE(has(page, "class=\"rate\""));
  EXPECT_TRUE(has(page, "What to do: Abort it."));
  EXPECT_FALSE(has(page, "<script"));
  for (const char* loads : {"src=", "href=\"http", "url(", "@import"})
    EXPECT_FALSE(has(page, loads)) << loads;
  EXPECT_TRUE(has(page, "default-src &#39;none&#39;") || has(page, "default-src 'none'"));
}

TEST(MergeForms, TheVerdictIsOneOfTheFamilyAndComesBack) {
  const Verdict written = verdict_of(troubled());
  const auto read = parse_verdict(verdict_json(written), "verdict.json");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->outcome, Outcome::fail);
  EXPECT_EQ(read->node, "n[1-5]");
  EXPECT_EQ(read->labels.at("build"), "3.2.1");
  ASSERT_EQ(read->stalls.size(), 2U);
  EXPECT_EQ(read->stalls[1].node, "n2");
  EXPECT_EQ(read->stalls[1].incident, "001");
  EXPECT_EQ(read->stalls[1].id, "002");
  EXPECT_EQ(read->stalls[0].explanation, "incidents/001/explanation.json");
  EXPECT_EQ(read->stalls[1].explanation, "");
  ASSERT_EQ(read->fleet.nodes.size(), 5U);
  EXPECT_EQ(read->fleet.nodes[2].standing, "died");
  EXPECT_EQ(read->fleet.nodes[4].standing, "missing");
  ASSERT_EQ(read->fleet.together.size(), 1U);
  EXPECT_EQ(read->fleet.together[0].stalls, (std::vector<std::string>{"001", "002"}));
  EXPECT_DOUBLE_EQ(read->fleet.together[0].within_ms, 200);
  EXPECT_DOUBLE_EQ(read->fleet.node_hours, 30);
  EXPECT_EQ(read->workloads.at("direct").ops, 4 * 36'000'000U);
  ASSERT_TRUE(read->observer.canary);
  EXPECT_TRUE(read->observer.canary->passed);
}

GateReport gated(const Verdict& verdict, const GateOptions& options = {}) {
  GatedRun run;
  run.stored.id = verdict.run;
  run.stored.directory = "/runs/merge-1";
  run.stored.verdict = *parse_verdict(verdict_json(verdict), "verdict.json");
  const auto report = judge_gate({run}, {}, options);
  EXPECT_TRUE(report);
  return report ? *report : GateReport{};
}

TEST(MergeForms, AGateTakesAMergeWithAllItsNodesAndHours) {
  std::vector<NodeResult> results;
  for (int i = 1; i <= 5; ++i) results.push_back(good_result("n" + std::to_string(i)));
  const Verdict verdict = verdict_of(merged_of(std::move(results), "n[1-5]"));
  const GateReport report = gated(verdict, {.today = "2026-11-26", .min_hours = 50});
  EXPECT_EQ(report.exit_code, 0) << gate_sentence(report);
  EXPECT_DOUBLE_EQ(report.node_hours, 50);
  EXPECT_EQ(report.nodes.size(), 5U);
  EXPECT_EQ(report.canaries_seen, 1U);
}

TEST(MergeForms, AGateFailsForAMergesStallsByNodeAndForANodeThatDied) {
  const GateReport report = gated(verdict_of(troubled()), {.today = "2026-11-26"});
  EXPECT_EQ(report.exit_code, 1);
  ASSERT_EQ(report.stalls.size(), 2U);
  EXPECT_EQ(report.stalls[0].node, "n1");
  EXPECT_EQ(report.failures.at(0).what, "n3: node_died_no_vmcore: it booted since");
}

TEST(MergeForms, ACanaryThatOneNodeDidNotHaveIsNone) {
  std::vector<NodeResult> results{good_result("n1"), good_result("n2", [](Verdict& verdict) {
                                    verdict.observer.canary.reset();
                                  })};
  EXPECT_FALSE(verdict_of(merged_of(results, "n[1-2]")).observer.canary);
  results[1].verdict.observer.canary = CanaryEntry{.passed = false, .problem = "not seen"};
  const Verdict verdict = verdict_of(merged_of(std::move(results), "n[1-2]"));
  ASSERT_TRUE(verdict.observer.canary);
  EXPECT_FALSE(verdict.observer.canary->passed);
  EXPECT_EQ(verdict.observer.canary->problem, "n2: not seen");
}

}  // namespace
}  // namespace stallproof
