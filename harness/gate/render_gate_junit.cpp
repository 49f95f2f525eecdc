// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/gate/gate_forms.h"
#include "harness/gate/gate_words.h"
#include "harness/gate/run_suite.h"

namespace stallproof {
namespace {

void add_stall(const GateStall& stall, JunitSuite& suite) {
  const std::string words =
      fmt::format("stalled: {}, signature {}", stall_words(stall), stall.entry.signature);
  std::vector<std::string> loads = stall.loads;
  if (loads.empty()) loads.emplace_back();  // the whole run
  for (const std::string& load : loads) {
    JunitCase& each = case_of(suite, load);
    if (stall.known) {
      each.output +=
          fmt::format("known until {}: {}: {}\n", stall.known->until, stall.known->reason, words);
      continue;
    }
    each.failures.push_back(words);
    each.output += stall.explanation_text;
  }
}

JunitSuite run_suite(const GateReport& report, const GatedRun& run) {
  JunitSuite suite = suite_of(run.stored, gate_sentence(report));
  for (const GateStall& stall : report.stalls)
    if (stall.run == run.name()) add_stall(stall, suite);
  for (const GateFinding& finding : report.failures) {
    if (finding.run != run.name()) continue;
    JunitCase& each = case_of(suite, finding.load);
    if (each.failures.empty()) each.failure_type = finding.load.empty() ? "failed" : "corruption";
    each.failures.push_back(finding.what);
  }
  for (const GateFinding& finding : report.doubts)
    if (finding.run == run.name()) case_of(suite, finding.load).errors.push_back(finding.what);
  return suite;
}

// What concerns all runs together, and runs of the baseline.
JunitSuite common_suite(const GateReport& report, const std::vector<GatedRun>& runs) {
  JunitSuite suite{.name = "all runs"};
  suite.properties.emplace_back("summary", gate_sentence(report));
  JunitCase amount{.classname = "stallproof.gate", .name = "enough was run"};
  for (const GateFinding& finding : report.doubts) {
    bool told = false;
    for (const GatedRun& run : runs) told = told || run.name() == finding.run;
    if (!told) amount.errors.push_back(finding_words(finding));
  }
  suite.cases.push_back(std::move(amount));
  if (!report.comparison) return suite;
  for (const MetricChange& metric : report.comparison->metrics) {
    JunitCase each{.classname = "stallproof.comparison",
                   .name = metric.values.load + " " + metric.values.metric,
                   .failure_type = "regression"};
    if (metric.change == Change::worse) each.failures.push_back(metric_words(metric));
    if (metric.change == Change::cannot_tell) each.errors.emplace_back("cannot be compared");
    suite.cases.push_back(std::move(each));
  }
  return suite;
}

}  // namespace

std::string gate_junit(const GateReport& report, const std::vector<GatedRun>& runs) {
  std::vector<JunitSuite> suites;
  for (const GatedRun& run : runs) suites.push_back(run_suite(report, run));
  suites.push_back(common_suite(report, runs));
  return junit_xml("stallproof gate", suites);
}

}  // namespace stallproof
