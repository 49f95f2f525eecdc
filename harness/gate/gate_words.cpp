// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/gate_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/base/markup.h"
#include "harness/base/one_line.h"

namespace stallproof {
namespace {

// How many decimals show `digits` digits of a value above 0.
int decimals_of(double value, int digits) {
  const int before_point = static_cast<int>(std::floor(std::log10(value))) + 1;
  return std::clamp(digits - before_point, 0, 12);
}

std::string trimmed(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string canary_words(const GateReport& report) {
  if (report.canaries_absent == 0)
    return report.canaries_seen == 0 ? "no canary seen" : "canary seen";
  if (report.canaries_seen == 0) return "no canary";
  return fmt::format("canary seen in {} of {} runs", report.canaries_seen, report.runs);
}

// Of a comparison in which no metric says anything.
std::string why_not_compared(const Comparison& comparison) {
  for (const MetricChange& metric : comparison.metrics) {
    const std::size_t after = metric.values.after.size(), before = metric.values.before.size();
    if (std::min(after, before) < kLeastRunsCompared)
      return fmt::format("too few runs ({} of the {} needed a side, and {} of the baseline)", after,
                         kLeastRunsCompared, before);
  }
  return comparison.metrics.empty() ? "no metric is in the runs and in the baseline"
                                    : "each metric is 0 in some run";
}

std::string no_regression_words(const GateReport& report) {
  const Comparison& comparison = *report.comparison;
  const std::size_t all = comparison.metrics.size();
  const std::size_t told = all - report.changed(Change::cannot_tell).size();
  if (told == 0) return "speed could not be compared: " + why_not_compared(comparison);
  std::string text =
      fmt::format("no regression in {}{} against {}", told < all ? fmt::format("{} of ", told) : "",
                  counted(all, "metric"),
                  report.baseline_build.empty() ? "the baseline" : one_line(report.baseline_build));
  if (const std::size_t blind = comparison.blind_metrics(); blind > 0)
    text += fmt::format(", {} of them too noisy to show {:g} %", blind, comparison.slowdown * 100);
  return text;
}

std::string comparison_words(const GateReport& report) {
  const auto worse = report.changed(Change::worse);
  if (worse.empty()) return no_regression_words(report);
  std::string text = "regression: " + metric_words(*worse.front());
  if (worse.size() > 1) text += fmt::format(" and {} more", worse.size() - 1);
  return text;
}

std::string first_of(const std::vector<GateFinding>& findings) {
  std::string text = finding_words(findings.front());
  if (findings.size() > 1) text += fmt::format(" and {} more", findings.size() - 1);
  return text;
}

}  // namespace

std::string verdict_word(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "PASS";
    case Outcome::fail:
      return "FAIL";
    case Outcome::unknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::string counted(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string amount_words(double value) {
  if (!(value > 0)) return "0";
  return trimmed(fmt::format("{:.{}f}", value, decimals_of(value, 3)));
}

std::string bound_words(double value) {
  if (!(value > 0)) return "0";
  const int decimals = decimals_of(value, 2);
  // Above 99 the last two digits of the whole number are the ones to round up at.
  const double step =
      decimals > 0 ? std::pow(10.0, -decimals) : std::pow(10.0, std::floor(std::log10(value)) - 1);
  return trimmed(fmt::format("{:.{}f}", std::ceil(value / step - 1e-9) * step, decimals));
}

std::string change_words(double rise) { return fmt::format("{:+.1f} %", rise * 100); }

std::string metric_words(const MetricChange& change) {
  return fmt::format("{} {} {} (p {:.2g})", one_line(change.values.load), change.values.metric,
                     change_words(change.rise), change.p);
}

std::string stall_words(const GateStall& stall) {
  const StallEntry& entry = stall.entry;
  const std::string span =
      entry.resolved_ms ? fmt::format(" for {:.1f} s", (*entry.resolved_ms - entry.onset_ms) / 1e3)
                        : ", never resolved";
  return fmt::format("incident {} ({}) at +{:.1f} s{}", one_line(entry.id),
                     one_line(entry.stall_class), entry.onset_ms / 1e3, span);
}

std::string finding_words(const GateFinding& finding) {
  if (finding.run.empty()) return one_line(finding.what);
  const std::string node = finding.node.empty() ? "" : " on " + one_line(finding.node);
  return fmt::format("{}{}: {}", one_line(finding.run), node, one_line(finding.what));
}

std::string one_line(const std::string& text) { return on_one_line(valid_utf8(text)); }

std::string gate_sentence(const GateReport& report) {
  std::string text = verdict_word(report.outcome);
  text += report.build.empty() ? " (no build label)" : " build " + one_line(report.build);
  text += fmt::format(": {} in {} node-hour{} on {}", counted(report.new_stalls(), "failing stall"),
                      amount_words(report.node_hours), report.node_hours == 1 ? "" : "s",
                      counted(report.nodes.size(), "node"));
  if (report.rate_bound)
    text += fmt::format(", at most {} per node-hour (95 %)", bound_words(*report.rate_bound));
  if (report.known_stalls() > 0) text += "; " + counted(report.known_stalls(), "known stall");
  if (!report.failures.empty()) text += "; failed: " + first_of(report.failures);
  if (report.comparison) text += "; " + comparison_words(report);
  text += "; " + canary_words(report);
  if (!report.doubts.empty()) text += "; not known: " + first_of(report.doubts);
  return text;
}

}  // namespace stallproof
