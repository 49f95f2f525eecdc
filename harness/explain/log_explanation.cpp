// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log_explanation.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/explain/explain.h"
#include "harness/explain/kernel_log.h"
#include "harness/explain/stall_class.h"

namespace stallproof {
namespace {

constexpr std::size_t kTitlesTold = 3;
constexpr std::size_t kProblemsTold = 5;

// The graph shows nothing that is stuck, the kernel says otherwise.
void explain_by_reports(Explanation& explanation) {
  const auto groups = grouped_by_title(*explanation.reports);
  explanation.stall_class = std::string{kUnknownStall};
  explanation.signature = explanation.stall_class;
  std::string told;
  for (std::size_t i = 0; i < std::min(groups.size(), kTitlesTold); ++i)
    told += fmt::format("{}{} (line {})", i == 0 ? "" : ", ", groups[i].first->title,
                        groups[i].first->line);
  if (groups.size() > kTitlesTold) told += fmt::format(" and {} more", groups.size() - kTitlesTold);
  explanation.summary = fmt::format(
      "The kernel reports that something stands still: {}. No blocked task in this log shows who "
      "waits for whom.",
      told);
}

}  // namespace

ExplainedLog explain_kernel_log(std::string_view text, const FsKnowledge& knowledge) {
  CrashText tasks = parse_kernel_log(text);
  KernelReports reports = parse_kernel_reports(text);
  ExplainedLog log;
  log.tasks = tasks.snapshot.tasks.size();
  log.locks = tasks.snapshot.locks.size();
  log.nothing_known = log.tasks == 0 && log.locks == 0 && !reports.is_kernel_log &&
                      reports.reports.empty() && reports.problems.empty();
  log.problems = std::move(tasks.problems);
  log.problems.insert(log.problems.end(), reports.problems.begin(), reports.problems.end());
  std::stable_sort(log.problems.begin(), log.problems.end(),
                   [](const TextProblem& a, const TextProblem& b) { return a.line < b.line; });
  for (std::size_t i = 0; i < std::min(log.problems.size(), kProblemsTold); ++i)
    tasks.snapshot.blind_spots.push_back(
        fmt::format("line {}: {}", log.problems[i].line, log.problems[i].what));
  log.explanation = explain(tasks.snapshot, knowledge);
  log.explanation.reports = std::move(reports.reports);
  const auto& found = *log.explanation.reports;
  if (log.explanation.stall_class == kNoStall &&
      std::any_of(found.begin(), found.end(), [](const LogReport& each) { return each.stalls; }))
    explain_by_reports(log.explanation);
  return log;
}

}  // namespace stallproof
