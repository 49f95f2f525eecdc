// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/gate/rate_bound.h"

namespace stallproof {
namespace {

using Runs = std::vector<GatedRun>;

Result<> each_once(const Runs& runs, const Runs& baseline) {
  std::map<std::string, std::string> seen;
  for (const Runs* side : {&runs, &baseline})
    for (const GatedRun& run : *side) {
      const auto [first, is_new] = seen.emplace(run.name(), run.stored.directory);
      if (!is_new)
        return fail(fmt::format("gate: the same run twice: {} in {} and in {} (give each run once)",
                                run.name(), first->second, run.stored.directory));
    }
  return {};
}

std::string build_of(const GatedRun& run) {
  if (!run.stored.verdict) return {};
  const auto found = run.stored.verdict->labels.find("build");
  return found == run.stored.verdict->labels.end() ? "" : found->second;
}

// The one build of a side. A run without a verdict has no label to tell.
Result<std::string> one_build(const Runs& side, const char* which) {
  const GatedRun* first = nullptr;
  for (const GatedRun& run : side) {
    if (!run.stored.verdict) continue;
    if (first == nullptr) first = &run;
    if (build_of(run) == build_of(*first)) continue;
    const auto words = [](const GatedRun& one) {
      const std::string build = build_of(one);
      return build.empty() ? fmt::format("no build label ({})", one.name())
                           : fmt::format("build {} ({})", build, one.name());
    };
    return fail(
        fmt::format("gate: {} mix builds: {} and {} (one answer is about one build; label "
                    "runs with --label build=NAME)",
                    which, words(*first), words(run)));
  }
  return first == nullptr ? std::string() : build_of(*first);
}

void note_known(GateReport& report) {
  for (const KnownUse& use : report.known) {
    if (use.expired)
      report.notes.push_back(
          {"", "", "",
           fmt::format("the known stall {} ended on {} and covers nothing any more ({})",
                       use.known.signature, use.known.until, use.known.reason)});
    else if (use.seen == 0)
      report.notes.push_back({"", "", "",
                              fmt::format("the known stall {} was not seen ({})",
                                          use.known.signature, use.known.reason)});
  }
}

void judge_amount(const GateOptions& options, GateReport& report) {
  if (report.node_hours > 0)
    report.rate_bound = rate_upper_bound(report.new_stalls(), report.node_hours);
  if (report.node_hours < options.min_hours)
    report.doubts.push_back(
        {"", "", "",
         fmt::format("too little: {:.4g} node-hours count, at least {:g} are wanted",
                     report.node_hours, options.min_hours)});
}

void conclude(GateReport& report) {
  const bool failed =
      report.new_stalls() > 0 || !report.failures.empty() || !report.changed(Change::worse).empty();
  report.outcome = failed                  ? Outcome::fail
                   : report.doubts.empty() ? Outcome::pass
                                           : Outcome::unknown;
  report.exit_code = failed ? 1 : report.outcome == Outcome::pass ? 0 : 3;
}

}  // namespace

std::size_t GateReport::new_stalls() const {
  return static_cast<std::size_t>(std::count_if(
      stalls.begin(), stalls.end(), [](const GateStall& stall) { return !stall.known; }));
}

std::vector<const MetricChange*> GateReport::changed(Change change) const {
  std::vector<const MetricChange*> found;
  if (comparison)
    for (const MetricChange& metric : comparison->metrics)
      if (metric.change == change) found.push_back(&metric);
  return found;
}

Result<GateReport> judge_gate(const Runs& runs, const Runs& baseline, const GateOptions& options) {
  if (auto once = each_once(runs, baseline); !once) return Failure(once.error());
  GateReport report;
  const auto build = one_build(runs, "the runs");
  if (!build) return Failure(build.error());
  report.build = *build;
  for (const KnownStall& known : options.known)
    report.known.push_back({.known = known, .expired = known.until < options.today});
  for (const GatedRun& run : runs) judge_gated_run(run, options, report);
  judge_amount(options, report);
  if (!baseline.empty()) {
    const auto before = one_build(baseline, "the runs of the baseline");
    if (!before) return Failure(before.error());
    report.baseline_build = *before;
    if (auto compared = judge_baseline(runs, baseline, options, report); !compared)
      return Failure(compared.error());
  }
  note_known(report);
  conclude(report);
  return report;
}

}  // namespace stallproof
