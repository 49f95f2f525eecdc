// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/report_families.h"

#include <fmt/format.h>

#include <array>

#include "harness/explain/kernel_functions.h"
#include "harness/explain/log/blamed_function.h"
#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::array<ReportFamily, 7> kFamilies{{
    {ReportKind::hung_task, begin_hung_task, nullptr},
    {ReportKind::soft_lockup, begin_soft_lockup, nullptr},
    {ReportKind::hard_lockup, begin_hard_lockup, nullptr},
    {ReportKind::rcu_stall, begin_rcu_stall, more_of_rcu_stall},
    {ReportKind::workqueue_lockup, begin_workqueue_lockup, more_of_workqueue_lockup},
    {ReportKind::lockdep, begin_lockdep, more_of_lockdep},
    {ReportKind::io_error, begin_error, nullptr},
}};

// A worker between two works, or in the one that it is named with.
bool is_worker_itself(std::string_view function) {
  return function.empty() || function == "process_one_work" || function == "worker_thread" ||
         function == "process_scheduled_works" || function == "kthread";
}

}  // namespace

std::span<const ReportFamily> report_families() { return kFamilies; }

bool is_single_line(ReportKind kind) {
  return kind == ReportKind::io_error || kind == ReportKind::fs_error;
}

bool is_cut_of(std::string_view text, std::string_view whole, std::size_t least) {
  return text.size() >= least && text.size() < whole.size() && whole.starts_with(text);
}

ReportDraft cut_header(ReportKind kind, std::string_view what) {
  ReportDraft draft;
  draft.report.kind = kind;
  draft.problem = fmt::format("the header of a report is cut: {}", what);
  draft.unusable = true;
  return draft;
}

ReportDraft sysrq_task(const TaskRow& task) {
  ReportDraft draft;
  draft.report.kind = ReportKind::sysrq_blocked;
  draft.report.task = task.comm;
  draft.report.pid = task.tid;
  draft.report.state = task.state;
  draft.about = "task blocked";
  draft.stack_wanted = true;
  return draft;
}

SysrqLine sysrq_line(std::string_view text) {
  const bool named = take_start(text, "sysrq: ");
  if (!take_start(text, "SysRq : ") && !named) return SysrqLine::none;
  if (text.starts_with("This sysrq operation is disabled")) return SysrqLine::refused;
  if (text.starts_with("Show Blocked State") || text.starts_with("Show State"))
    return SysrqLine::shows_tasks;
  return SysrqLine::other;
}

void conclude(ReportDraft& draft) {
  LogReport& report = draft.report;
  if (report.function.empty() && !is_single_line(report.kind))
    report.function = blamed_function(draft);
  if (report.function.empty() && !is_way_to_wait(draft.place)) report.function = draft.place;
  if (!draft.frames.empty() && !draft.work.empty() && is_worker_itself(report.function))
    report.function = draft.work;
  report.function = without_suffix(report.function);
  if (!report.title.empty()) return;
  report.title = draft.about;
  const std::vector<std::string>& classes = draft.chain.empty() ? draft.classes : draft.chain;
  for (std::size_t i = 0; i < classes.size(); ++i)
    report.title += (i == 0 ? ": " : " -> ") + classes[i];
  if (classes.empty() && draft.title_has_function && !report.function.empty())
    report.title += " in " + report.function;
}

}  // namespace stallproof
