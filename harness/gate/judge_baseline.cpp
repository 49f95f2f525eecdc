// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/rfc3339.h"
#include "harness/gate/exact_ranks.h"
#include "harness/gate/gate.h"
#include "harness/gate/load_plan_words.h"

namespace stallproof {
namespace {

using Runs = std::vector<GatedRun>;

// Runs on several nodes are one side each: the same nodes on both, the same plan and target on all.
Result<> same_circumstances(const Runs& runs, const Runs& baseline) {
  std::set<std::string> nodes_before, nodes_after;
  const auto words_of = [](const GatedRun& run, std::set<std::string>& nodes) {
    auto words = circumstances(run.stored);
    nodes.insert(words["node"]);
    words.erase("node");
    return words;
  };
  const auto wanted = words_of(baseline.front(), nodes_before);
  for (const Runs* side : {&baseline, &runs}) {
    for (const GatedRun& run : *side) {
      if (!run.stored.verdict) continue;
      const std::string difference =
          first_difference(wanted, words_of(run, side == &runs ? nodes_after : nodes_before));
      if (!difference.empty())
        return fail(
            fmt::format("gate: {} cannot be compared with the baseline {}: {} (compare runs "
                        "of one plan on one machine and kind of target)",
                        run.name(), baseline.front().name(), difference));
    }
  }
  if (nodes_before == nodes_after) return {};
  return fail(fmt::format("gate: the baseline ran on another machine: {}, not {}",
                          fmt::join(nodes_before, " "), fmt::join(nodes_after, " ")));
}

struct Span {
  std::int64_t first = 0, last = 0;
};

std::optional<Span> span_of(const Runs& side) {
  std::optional<Span> span;
  for (const GatedRun& run : side) {
    const auto at = run.stored.verdict ? parse_rfc3339(run.stored.verdict->started) : std::nullopt;
    if (!at) return std::nullopt;
    if (!span) span = Span{at->unix_ms, at->unix_ms};
    span->first = std::min(span->first, at->unix_ms);
    span->last = std::max(span->last, at->unix_ms);
  }
  return span;
}

void advise(const Runs& runs, const Runs& baseline, GateReport& report) {
  const auto after = span_of(runs), before = span_of(baseline);
  if (after && before && (after->first > before->last || before->first > after->last))
    report.notes.push_back(
        {"", "", "",
         "the baseline was not interleaved with the runs: a machine that got slower or "
         "faster meanwhile looks the same as a build that did (run them in turn)"});
  std::set<std::string> kernels;
  for (const Runs* side : {&runs, &baseline})
    for (const GatedRun& run : *side)
      if (run.stored.verdict) kernels.insert(run.stored.verdict->kernel);
  if (kernels.size() > 1)
    report.notes.push_back({"", "", "",
                            fmt::format("the runs and the baseline had several kernels: "
                                        "{}",
                                        fmt::join(kernels, ", "))});
}

// One value of each run of a side; a run without it is a doubt, unless no run has it.
template <class ValueOf>
std::vector<double> side_values(const Runs& side, const ValueOf& value_of,
                                std::vector<std::string>& lacking) {
  std::vector<double> values;
  for (const GatedRun& run : side) {
    if (!run.stored.verdict) continue;
    if (const std::optional<double> value = value_of(run))
      values.push_back(*value);
    else
      lacking.push_back(run.name());
  }
  return values;
}

template <class ValueOf>
void add_metric(MetricValues metric, const Runs& runs, const Runs& baseline,
                const ValueOf& value_of, std::vector<MetricValues>& metrics, GateReport& report) {
  std::vector<std::string> lacking;
  metric.before = side_values(baseline, value_of, lacking);
  metric.after = side_values(runs, value_of, lacking);
  if (metric.before.empty() && metric.after.empty()) return;
  for (const std::string& run : lacking)
    report.doubts.push_back(
        {run, "", metric.load,
         fmt::format("it has no {} of {} to compare", metric.metric, metric.load)});
  metrics.push_back(std::move(metric));
}

std::vector<MetricValues> metrics_of(const Runs& runs, const Runs& baseline, GateReport& report) {
  std::vector<MetricValues> metrics;
  std::set<std::string> loads;
  for (const Runs* side : {&runs, &baseline})
    for (const GatedRun& run : *side)
      if (run.stored.verdict)
        for (const auto& [name, load] : run.stored.verdict->workloads) loads.insert(name);
  for (const std::string& load : loads) {
    const auto rate = [&load](const GatedRun& run) -> std::optional<double> {
      const auto found = run.rates.find(load);
      return found == run.rates.end() ? std::nullopt : std::optional(found->second);
    };
    const auto p99 = [&load](const GatedRun& run) -> std::optional<double> {
      const auto found = run.stored.verdict->workloads.find(load);
      return found == run.stored.verdict->workloads.end() ? std::nullopt : found->second.p99_us;
    };
    add_metric({load, "throughput", true, {}, {}}, runs, baseline, rate, metrics, report);
    add_metric({load, "p99", false, {}, {}}, runs, baseline, p99, metrics, report);
  }
  return metrics;
}

void doubt_unfinished(const Runs& baseline, GateReport& report) {
  for (const GatedRun& run : baseline) {
    const auto& verdict = run.stored.verdict;
    if (!verdict)
      report.doubts.push_back(
          {run.name(), "", "",
           run.damage.empty() ? "of the baseline: unfinished, it has no verdict" : run.damage});
    else if (verdict->outcome == Outcome::unknown)
      report.doubts.push_back(
          {run.name(), verdict->node, "", "of the baseline: its verdict is unknown"});
    else if (!run.rates_problem.empty())
      report.doubts.push_back({run.name(), verdict->node, "", run.rates_problem});
  }
}

}  // namespace

Result<> judge_baseline(const Runs& runs, const Runs& baseline, const GateOptions& options,
                        GateReport& report) {
  if (std::max(runs.size(), baseline.size()) > kMostRanked)
    return fail(fmt::format("gate: at most {} runs a side can be compared exactly", kMostRanked));
  if (auto same = same_circumstances(runs, baseline); !same) return same;
  doubt_unfinished(baseline, report);
  for (const GatedRun& run : runs)
    if (run.stored.verdict && !run.rates_problem.empty())
      report.doubts.push_back({run.name(), run.stored.verdict->node, "", run.rates_problem});
  report.comparison = compare_metrics(metrics_of(runs, baseline, report), options.min_effect);
  if (report.comparison->metrics.empty())
    report.doubts.push_back({"", "", "", "nothing could be compared with the baseline"});
  if (!report.comparison->too_few.empty())
    report.doubts.push_back({"", "", "", report.comparison->too_few});
  for (const MetricChange* change : report.changed(Change::cannot_tell))
    if (report.comparison->too_few.empty())
      report.doubts.push_back({"", "", change->values.load,
                               fmt::format("{} {} of the baseline is 0 in some run: it cannot be "
                                           "compared",
                                           change->values.load, change->values.metric)});
  advise(runs, baseline, report);
  return {};
}

}  // namespace stallproof
