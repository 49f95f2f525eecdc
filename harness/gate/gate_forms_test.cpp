// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gate_forms.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/gate/gate_words.h"
#include "harness/gate/gated_run_fixture.h"
#include "harness/gate/run_suite.h"

namespace stallproof {
namespace {

using Runs = std::vector<GatedRun>;

// A stall, a run that did nothing, one that is unfinished.
Runs troubled_runs() {
  Runs runs{stalled_run("r1"), good_run("r2", "vm8"), good_run("r3")};
  runs[1].stored.verdict->workloads["maps"].ops = 0;
  runs[2].stored.verdict.reset();
  return runs;
}

GateReport report_of(const Runs& runs, const Runs& baseline = {}) {
  const auto report = judge_gate(runs, baseline, {.today = "2026-11-26"});
  EXPECT_TRUE(report) << report.error().what;
  return *report;
}

std::string golden(const std::string& name) {
  const auto text = read_file(source_file("harness/gate/testing/" + name));
  EXPECT_TRUE(text) << text.error().what;
  return text ? *text : "";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

pugi::xml_document parsed(const std::string& xml) {
  pugi::xml_document document;
  const auto result = document.load_buffer(xml.data(), xml.size());
  EXPECT_TRUE(result) << result.description() << "\n" << xml;
  return document;
}

TEST(GateForms, TextIsAsItWas) {
  EXPECT_EQ(gate_text(report_of(troubled_runs())), golden("troubled.txt"));
}

TEST(GateForms, MarkdownIsAsItWas) {
  EXPECT_EQ(gate_markdown(report_of({stalled_run("r1")})), golden("one_stall.md"));
}

TEST(GateForms, JunitIsAsItWas) {
  EXPECT_EQ(gate_junit(report_of({stalled_run("r1")}), {stalled_run("r1")}),
            golden("one_stall.xml"));
}

TEST(GateForms, JunitCountsWhatItHolds) {
  const Runs runs = troubled_runs();
  const auto document = parsed(gate_junit(report_of(runs), runs));
  const auto top = document.child("testsuites");
  int tests = 0, failures = 0, errors = 0;
  for (const auto& suite : top.children("testsuite"))
    for (const auto& each : suite.children("testcase")) {
      ++tests;
      failures += each.child("failure") ? 1 : 0;
      errors += each.child("error") ? 1 : 0;
    }
  EXPECT_EQ(top.attribute("tests").as_int(), tests);
  EXPECT_EQ(top.attribute("failures").as_int(), failures);
  EXPECT_EQ(top.attribute("errors").as_int(), errors);
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(errors, 2);
}

TEST(GateForms, NoNameBreaksAForm) {
  Runs runs{stalled_run("r<1>\"&")};
  Verdict& verdict = *runs[0].stored.verdict;
  verdict.labels["build"] = "<script>`|\n\x01\xff]]>";
  verdict.node = "n'\"<>&";
  verdict.workloads["a|b`<c>\n"] = {.ops = 0};
  runs[0].stored.incidents[0].explanation_text = "]]></system-out>\x02";
  runs[0].stored.incidents[0].explanation->nodes[0].label = "x\"]\n```\n<script>";
  const GateReport report = report_of(runs);
  const std::string xml = gate_junit(report, runs);
  EXPECT_EQ(parsed(xml).child("testsuites").child("testsuite").attribute("name").as_string(),
            std::string("r<1>\"&"));
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
  EXPECT_EQ(gate_markdown(report).find("<script>"), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(gate_json(report, runs)));
  EXPECT_TRUE(first_line(gate_text(report)).starts_with("FAIL build <script>`|?"));
}

TEST(GateForms, JsonTellsTheSentenceAndEveryRun) {
  const Runs runs = troubled_runs();
  const auto document = nlohmann::json::parse(gate_json(report_of(runs), runs));
  EXPECT_EQ(document["summary"], gate_sentence(report_of(runs)));
  EXPECT_EQ(document["exit_code"], 1);
  EXPECT_EQ(document["runs"].size(), 3U);
  EXPECT_TRUE(document["runs"][2]["verdict"].is_null());
  EXPECT_EQ(document["stalls"][0]["signature"], kSignature);
  EXPECT_TRUE(document["comparison"].is_null());
}

TEST(GateForms, TheFirstLineOfEveryFormIsTheSentence) {
  const Runs runs{good_run("r1")};
  const GateReport report = report_of(runs);
  const std::string sentence = gate_sentence(report);
  EXPECT_EQ(first_line(gate_text(report)), sentence);
  EXPECT_EQ(first_line(gate_markdown(report)), sentence);
  EXPECT_EQ(nlohmann::json::parse(gate_json(report, runs))["summary"], sentence);
  const auto document = parsed(gate_junit(report, runs));
  const auto property =
      document.child("testsuites").child("testsuite").child("properties").first_child();
  EXPECT_EQ(property.attribute("value").as_string(), sentence);
}

Runs five(const std::string& stem, double rate) {
  Runs runs;
  for (int i = 0; i < 5; ++i) {
    runs.push_back(good_run(stem + std::to_string(i)));
    runs.back().stored.verdict->workloads.erase("maps");
    runs.back().rates = {{"direct", rate * (1 + 0.02 * i)}};
  }
  return runs;
}

TEST(GateForms, AComparisonIsShownWithItsNoise) {
  const GateReport report = report_of(five("a", 700), five("b", 1000));
  const std::string text = gate_text(report);
  EXPECT_NE(text.find("  direct                   throughput         1040          728   -30.0 %"
                      "    0.008    3.04 %  WORSE\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  direct throughput: 14 runs a side\n"), std::string::npos) << text;
  EXPECT_NE(gate_markdown(report).find("| direct | throughput | 1040 | 728 | -30.0 % | 0.008 | "
                                       "3.04 % | 14 | **worse** |"),
            std::string::npos)
      << gate_markdown(report);
}

TEST(RunJunit, FollowsTheRunsOwnVerdict) {
  const auto failed = parsed(run_junit(stalled_run("r1").stored));
  EXPECT_EQ(failed.child("testsuites").attribute("failures").as_int(), 2)
      << "the load that stalled and the whole run";
  GatedRun expected = stalled_run("r1");
  expected.stored.verdict->outcome = Outcome::pass;
  const auto passed = parsed(run_junit(expected.stored));
  EXPECT_EQ(passed.child("testsuites").attribute("failures").as_int(), 0);
  GatedRun unfinished = good_run("r1");
  unfinished.stored.verdict.reset();
  const auto unknown = parsed(run_junit(unfinished.stored));
  EXPECT_EQ(unknown.child("testsuites").attribute("errors").as_int(), 1);
}

TEST(GateWords, AmountsAreShortAndBoundsNeverTooLow) {
  EXPECT_EQ(amount_words(96), "96");
  EXPECT_EQ(amount_words(0.016666), "0.0167");
  EXPECT_EQ(amount_words(2156.8), "2157");
  EXPECT_EQ(amount_words(0), "0");
  EXPECT_EQ(bound_words(0.031206), "0.032");
  EXPECT_EQ(bound_words(0.3), "0.3");
  EXPECT_EQ(bound_words(2156.8), "2200");
  EXPECT_EQ(bound_words(3.0001), "3.1");
}

}  // namespace
}  // namespace stallproof
