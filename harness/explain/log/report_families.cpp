// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/report_families.h"

#include <fmt/format.h>

#include <array>

#include "harness/explain/kernel_functions.h"
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

using Frames = std::vector<SeenFrame>;

// The first frame from `from` on that says why and fits; the end when none does.
template <class Fits>
std::size_t first_reason(const Frames& frames, std::size_t from, Fits fits) {
  while (from < frames.size() && (!fits(frames[from]) || is_way_to_wait(frames[from].function)))
    ++from;
  return from;
}

std::size_t blamed_on_cpu(const Frames& frames, bool guessed) {
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (frames[i].running && kernel_meaning(frames[i].function) != KernelMeaning::observer)
      return first_reason(frames, i,
                          [guessed](const SeenFrame& frame) { return frame.guessed <= guessed; });
  const std::size_t outside = first_reason(frames, 0, [guessed](const SeenFrame& frame) {
    return frame.guessed <= guessed && !frame.interrupt;
  });
  if (outside < frames.size()) return outside;
  return first_reason(frames, 0,
                      [guessed](const SeenFrame& frame) { return frame.guessed <= guessed; });
}

// Guessed frames count only where the unwinder was sure of none.
std::string blamed(const ReportDraft& draft) {
  for (const bool guessed : {false, true}) {
    const std::size_t at = draft.on_cpu
                               ? blamed_on_cpu(draft.frames, guessed)
                               : first_reason(draft.frames, 0, [guessed](const SeenFrame& frame) {
                                   return frame.guessed <= guessed;
                                 });
    if (at < draft.frames.size()) return draft.frames[at].function;
  }
  return {};
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
  if (report.function.empty() && !is_single_line(report.kind)) report.function = blamed(draft);
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
