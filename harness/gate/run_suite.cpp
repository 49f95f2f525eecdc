// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/run_suite.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

constexpr const char* kWholeRun = "whole run";

void add_stalls(const StoredRun& run, JunitSuite& suite) {
  const bool failed = run.verdict->outcome == Outcome::fail;
  for (const StallEntry& stall : run.verdict->stalls) {
    for (const StoredIncident& incident : run.incidents) {
      if (incident.id != stall.id) continue;
      for (const std::string& load : incident.loads) {
        JunitCase& each = case_of(suite, load);
        each.output += incident.explanation_text;
        if (failed && stall.failing)
          each.failures.push_back(
              fmt::format("stalled: {} (incident {})", stall.stall_class, stall.id));
      }
    }
  }
}

}  // namespace

JunitSuite suite_of(const StoredRun& run, const std::string& summary) {
  JunitSuite suite{.name = run.id.empty() ? run.directory : run.id};
  suite.properties.emplace_back("summary", summary);
  if (run.verdict) {
    const Verdict& verdict = *run.verdict;
    suite.hostname = verdict.node;
    suite.timestamp = verdict.started;
    suite.seconds = verdict.duration_s;
    for (const auto& [key, value] : verdict.labels) suite.properties.emplace_back(key, value);
    suite.properties.emplace_back("kernel", verdict.kernel);
    suite.properties.emplace_back("stallproof", verdict.tool_version);
    suite.properties.emplace_back("target", verdict.target_path + " " + verdict.target_fstype);
    for (const auto& [name, load] : verdict.workloads)
      suite.cases.push_back({"stallproof." + verdict.node, name, verdict.duration_s, {}, {}});
  }
  suite.cases.push_back({"stallproof." + suite.hostname, kWholeRun, suite.seconds, {}, {}});
  return suite;
}

JunitCase& case_of(JunitSuite& suite, const std::string& load) {
  for (JunitCase& each : suite.cases)
    if (each.name == load) return each;
  return suite.cases.back();
}

std::string run_junit(const StoredRun& run) {
  std::string summary = "unknown: unfinished";
  if (run.verdict) {
    summary = outcome_name(run.verdict->outcome);
    for (const std::string& reason : run.verdict->reasons)
      summary += (summary.find(':') == std::string::npos ? ": " : "; ") + reason;
  }
  JunitSuite suite = suite_of(run, summary);
  JunitCase& whole = suite.cases.back();
  if (!run.verdict) {
    whole.errors.emplace_back("unfinished: it has no verdict");
  } else {
    add_stalls(run, suite);
    if (run.verdict->outcome == Outcome::fail) whole.failures = run.verdict->reasons;
    if (run.verdict->outcome == Outcome::unknown) whole.errors = run.verdict->reasons;
  }
  return junit_xml("stallproof", {suite});
}

}  // namespace stallproof
