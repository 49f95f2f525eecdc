// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/gate/gate_forms.h"
#include "harness/gate/gate_words.h"

namespace stallproof {
namespace {

std::string findings_text(const std::string& heading, const std::vector<GateFinding>& findings) {
  if (findings.empty()) return {};
  std::string text = heading + "\n";
  for (const GateFinding& finding : findings) text += "  " + finding_words(finding) + "\n";
  return text;
}

std::string stall_text(const GateStall& stall) {
  std::string text =
      fmt::format("  {} on {}: {}\n    signature {}\n", one_line(stall.run), one_line(stall.node),
                  stall_words(stall), one_line(stall.entry.signature));
  if (stall.known)
    text +=
        fmt::format("    known until {}: {}\n", stall.known->until, one_line(stall.known->reason));
  if (!stall.known && !stall.entry.explanation.empty())
    text += fmt::format("    stallproof show {} --at {}\n", shell_word(one_line(stall.shown_by)),
                        shell_word(one_line(stall.entry.id)));
  return text;
}

std::string stalls_text(const std::string& heading, const GateReport& report, bool known) {
  std::string text;
  for (const GateStall& stall : report.stalls)
    if (stall.known.has_value() == known) text += stall_text(stall);
  return text.empty() ? text : heading + "\n" + text;
}

const char* change_word(Change change) {
  switch (change) {
    case Change::none:
      return "no change";
    case Change::worse:
      return "WORSE";
    case Change::better:
      return "better";
    case Change::cannot_tell:
      return "cannot tell";
  }
  return "";
}

std::string metric_row(const MetricChange& metric) {
  return fmt::format(
      "  {:<24} {:<10} {:>12} {:>12} {:>9} {:>8.3f} {:>7.2f} %  {}\n", one_line(metric.values.load),
      metric.values.metric, amount_words(metric.median_before), amount_words(metric.median_after),
      change_words(metric.rise), metric.p, metric.variation * 100, change_word(metric.change));
}

std::string comparison_text(const GateReport& report) {
  if (!report.comparison || report.comparison->metrics.empty()) return {};
  const auto& metrics = report.comparison->metrics;
  std::string text = fmt::format(
      "compared with {} (one median per run; exact two-sided Mann-Whitney test):\n"
      "  {:<24} {:<10} {:>12} {:>12} {:>9} {:>8} {:>9}\n",
      report.baseline_build.empty() ? "the baseline" : "build " + one_line(report.baseline_build),
      "load", "metric", "before", "after", "change", "p", "CV");
  for (const MetricChange& metric : metrics) text += metric_row(metric);
  return text;
}

std::string noise_text(const GateReport& report) {
  if (!report.comparison) return {};
  std::string text;
  for (const MetricChange& metric : report.comparison->metrics)
    if (metric.noisy)
      text += fmt::format("  {} {}: {} runs a side\n", one_line(metric.values.load),
                          metric.values.metric, metric.runs_needed);
  if (text.empty()) return {};
  return fmt::format(
             "these vary by more than {:g} % (CV) from run to run; to find {:.1f} % in 95 % of all "
             "cases they need, by the normal approximation with the rank test's efficiency of "
             "3/pi:\n",
             kQuietVariation * 100, report.comparison->slowdown * 100) +
         text;
}

}  // namespace

std::string gate_text(const GateReport& report) {
  std::string text = gate_sentence(report) + "\n";
  text += stalls_text("failing stalls:", report, false);
  text += findings_text("failed:", report.failures);
  text += findings_text("not known:", report.doubts);
  text += stalls_text("known stalls:", report, true);
  text += comparison_text(report);
  text += noise_text(report);
  if (report.resolved_stalls > 0)
    text += fmt::format("{} resolved in time and did not fail\n",
                        counted(report.resolved_stalls, "more stall"));
  text += findings_text("notes:", report.notes);
  return text;
}

}  // namespace stallproof
