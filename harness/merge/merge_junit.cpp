// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/gate/gate_words.h"
#include "harness/gate/run_suite.h"
#include "harness/merge/merge_forms.h"
#include "harness/merge/merge_words.h"

namespace stallproof {
namespace {

// Of each node; the further ones are in its own junit.xml.
constexpr std::size_t kStallsTold = 20;

JunitSuite node_suite(const MergedNode& node, const std::string& summary) {
  StoredRun run;
  run.id = node.name;
  run.directory = node.result.directory;
  run.verdict = node.result.verdict;
  run.verdict->node = node.name;
  JunitSuite suite = suite_of(run, summary);
  suite.properties.emplace_back("run", node.result.run);
  suite.properties.emplace_back("directory", node.result.directory);
  JunitCase& whole = case_of(suite, "");
  if (node.standing == Standing::died) {
    whole.failure_type = "node_died";
    whole.failures.push_back(node.why);
  } else if (node.standing != Standing::counted) {
    whole.errors.push_back(node.why);
  } else if (node.result.verdict.outcome == Outcome::unknown) {
    whole.errors = node.result.verdict.reasons;
    if (whole.errors.empty()) whole.errors.push_back(node.why);
  }
  return suite;
}

const StallEvidence* evidence_at(const std::vector<StallEvidence>& evidence, std::size_t place) {
  for (const StallEvidence& each : evidence)
    if (each.place == place) return &each;
  return nullptr;
}

void add_stalls(const Merged& merged, const std::vector<StallEvidence>& evidence,
                std::vector<JunitSuite>& suites) {
  std::vector<std::size_t> told(merged.nodes.size());
  for (std::size_t i = 0; i < merged.stalls.size(); ++i) {
    const StallBegin& stall = merged.stalls[i];
    const StallEntry& entry = merged.entry_of(stall);
    if (!entry.failing || ++told[stall.node] > kStallsTold) continue;
    const StallEvidence* kept = evidence_at(evidence, i);
    std::vector<std::string> loads =
        kept == nullptr ? std::vector<std::string>{} : kept->incident.loads;
    if (loads.empty()) loads.emplace_back();  // the whole run
    for (const std::string& load : loads) {
      JunitCase& each = case_of(suites[stall.node], load);
      each.failures.push_back(fmt::format("stalled: {}, signature {}", stall_words(merged, stall),
                                          one_line(entry.signature)));
      if (kept != nullptr) each.output += kept->incident.explanation_text;
    }
  }
}

void add_failures(const Merged& merged, std::vector<JunitSuite>& suites) {
  for (const MergeFinding& failure : merged.failures)
    for (std::size_t i = 0; i < suites.size(); ++i) {
      const MergedNode& node = merged.nodes[i];
      if (node.name != failure.node || node.standing == Standing::died) continue;
      JunitCase& whole = case_of(suites[i], "");
      if (whole.failures.empty()) whole.failure_type = "failed";
      whole.failures.push_back(failure.what);
      break;
    }
}

JunitSuite fleet_suite(const Merged& merged) {
  JunitSuite suite{.name = "all nodes"};
  suite.properties.emplace_back("summary", merge_sentence(merged));
  JunitCase together{.classname = "stallproof.fleet", .name = "no stall began on several nodes"};
  for (const auto& group : merged.together) {
    const std::string words =
        together_words(merged, group) + ": " + names_words(node_names(merged, group));
    if (any_failing(merged, group))
      together.failures.push_back(words);
    else
      together.output += words + "\n";
  }
  JunitCase whole{.classname = "stallproof.fleet", .name = "every expected node is counted"};
  for (const MergeFinding& doubt : merged.doubts) whole.errors.push_back(finding_words(doubt));
  suite.cases.push_back(std::move(together));
  suite.cases.push_back(std::move(whole));
  return suite;
}

}  // namespace

std::string merge_junit(const Merged& merged, const std::vector<StallEvidence>& evidence) {
  std::vector<JunitSuite> suites;
  const std::string summary = merge_sentence(merged);
  for (const MergedNode& node : merged.nodes) suites.push_back(node_suite(node, summary));
  add_stalls(merged, evidence, suites);
  add_failures(merged, suites);
  suites.push_back(fleet_suite(merged));
  return junit_xml("stallproof merge", suites);
}

}  // namespace stallproof
