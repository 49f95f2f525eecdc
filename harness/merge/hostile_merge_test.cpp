// SPDX-License-Identifier: Apache-2.0
// Names and files that a hostile or broken node could leave stay text, in little memory, and never
// make anything green.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "harness/base/markup.h"
#include "harness/gate/gate_words.h"
#include "harness/merge/evidence.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merged_verdict.h"
#include "harness/merge/testing/made_fleet.h"
#include "harness/store/verdict_read.h"

namespace stallproof {
namespace {

const std::string kEvil =
    "\"><script>alert(1)</script><img src=x onerror=alert(2)> ]]> --> </title></style></textarea>"
    "\n'`|*_[a](javascript:x)\xff\xfe\xed\xa0\x80\x1b[31m";

Merged evil_fleet() {
  std::vector<NodeResult> results;
  for (int i = 0; i < 2; ++i) {
    NodeResult result = good_result(kEvil + std::to_string(i), [](Verdict& verdict) {
      verdict.labels["build"] = verdict.kernel = verdict.target_fstype = kEvil;
      verdict.workloads[kEvil] = {.ops = 1, .mismatches = 1};
      add_stall(verdict, 1000, kEvil);
      verdict.stalls[0].stall_class = verdict.stalls[0].id = kEvil;
      verdict.dropouts.push_back({kEvil, 1000, 3000, 0.01});
      verdict.left_behind = verdict.reasons = {kEvil};
    });
    result.directory = kEvil;
    result.notes = {kEvil};
    results.push_back(std::move(result));
  }
  MergeOptions options;
  for (const NodeResult& result : results) options.expected.push_back(result.node);
  auto merged = merge_nodes(std::move(results), options);
  EXPECT_TRUE(merged) << (merged ? "" : merged.error().what);
  return merged ? std::move(*merged) : Merged{};
}

std::vector<StallEvidence> evil_evidence() {
  StallEvidence each;
  each.incident.id = each.incident.explanation_text = kEvil;
  each.incident.loads = {kEvil};
  StoredExplanation& told = each.incident.explanation.emplace();
  told.summary = told.advice = told.signature = kEvil;
  told.nodes = {{.id = kEvil, .kind = kEvil, .label = kEvil}};
  told.edges = {{kEvil, kEvil, kEvil, kEvil, kEvil, kEvil}};
  return {each};
}

TEST(HostileMerge, NothingOfItBecomesMarkup) {
  const Merged merged = evil_fleet();
  const std::string page =
      merge_html(merged, std::vector<Activity>(merged.nodes.size()), evil_evidence());
  for (const char* part :
       {"<script", "<img", "</textarea>", "</title></style>", "onerror=alert(2)>"})
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page, valid_utf8(page));
  std::string markdown = merge_markdown(merged, evil_evidence());
  EXPECT_EQ(markdown, valid_utf8(markdown));
  // In a code span every sign is text.
  const std::string code = markdown_code(one_line(kEvil));
  for (std::size_t at = markdown.find(code); at != std::string::npos; at = markdown.find(code))
    markdown.erase(at, code.size());
  EXPECT_EQ(markdown.find("<script"), std::string::npos);
  EXPECT_EQ(markdown.find("[a](javascript"), std::string::npos);
}

TEST(HostileMerge, JunitAndJsonStayWellFormed) {
  const Merged merged = evil_fleet();
  pugi::xml_document document;
  EXPECT_TRUE(document.load_string(merge_junit(merged, evil_evidence()).c_str()));
  const std::string json = verdict_json(
      merged_verdict(merged, {.run = kEvil, .nodes = kEvil, .tool_version = {}, .kept = {}}));
  EXPECT_TRUE(nlohmann::json::accept(json));
  EXPECT_TRUE(parse_verdict(json, "verdict.json"));
}

TEST(HostileMerge, TextKeepsToItsLines) {
  const std::string text = merge_text(evil_fleet(), "/runs/x");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text, valid_utf8(text));
}

TEST(HostileMerge, AnIdThatPointsElsewhereIsNotFollowed) {
  const MadeFleet fleet;
  fleet.put("secret/explanation.txt", "not for you\n");
  fleet.put_node("n1");
  NodeResult result = good_result("n1", [](Verdict& verdict) {
    add_stall(verdict, 1000);
    verdict.stalls[0].id = "../../secret";
  });
  result.directory = fleet.path("n1");
  Merged merged = merged_of({result}, "n1");
  const auto evidence = read_evidence(merged);
  ASSERT_EQ(evidence.size(), 1U);
  EXPECT_TRUE(evidence[0].files.empty());
}

TEST(HostileMerge, ImpossibleTimesMakeNoEndlessAxis) {
  for (const char* started :
       {"9999-12-31T23:59:59.999+00:00", "0001-01-01T00:00:00+00:00", "", "x"}) {
    NodeResult odd = good_result("n2", [started](Verdict& verdict) {
      verdict.started = started;
      verdict.duration_s = 1e17;
      add_stall(verdict, 1e16);
    });
    const Merged merged = merged_of({good_result("n1"), odd}, "n[1-2]");
    EXPECT_EQ(merged.exit_code, 1);
    const std::string page = merge_html(merged, std::vector<Activity>(2), {});
    EXPECT_LT(page.size(), 100'000U) << started;
    EXPECT_TRUE(parse_verdict(verdict_json(merged_verdict(merged, {})), "v")) << started;
  }
}

TEST(HostileMerge, RandomBytesInEveryFileAreDamageAndNoCrash) {
  const MadeFleet fleet;
  for (const char* file : {"verdict.json", "env.json", "manifest.json", "plan.toml", "run.id"})
    for (const std::string& content :
         {std::string("\0\xff{", 3), std::string("[[[[[[[["), std::string("{}"), kEvil}) {
      fleet.put_node("n1");
      fleet.put(std::string("n1/") + file, content);
      const NodeResult result = read_node_result(fleet.path("n1"), {});
      EXPECT_EQ(result.state == NodeState::damaged, std::string(file) == "verdict.json") << file;
    }
}

}  // namespace
}  // namespace stallproof
