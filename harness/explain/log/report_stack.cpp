// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/report_stack.h"

#include "harness/explain/log/report_families.h"
#include "harness/explain/log/stack_line.h"
#include "harness/explain/log/task_line.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostFrames = 64;  // of one report: why is told by the first few

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// A dump of somebody else begins here, unless ours has not begun.
bool begins_another(std::string_view text) {
  return is_begin_of_cpu_dump(text) || text.starts_with("Sending NMI ") ||
         text.starts_with("Kernel panic") || text.starts_with("---[ end ") ||
         text.starts_with("Showing all locks held") || text.starts_with("------------[ cut here");
}

void note_section(std::string_view text, ReportDraft& draft) {
  if (!has(text, ">")) return;
  if (has(text, "<IRQ>") || has(text, "<NMI>") || has(text, "<SOFTIRQ>"))
    draft.in_interrupt = !has(text, "</");
  if (has(text, "</IRQ>") || has(text, "</NMI>") || has(text, "<EOI>") || has(text, "<<EOE>>"))
    draft.in_interrupt = false;
  if (has(text, "</TASK>") && !draft.frames.empty()) draft.stack_done = true;
}

void note_whose(const std::string& comm, std::int32_t pid, ReportDraft& draft) {
  LogReport& report = draft.report;
  if (report.pid >= 0 && report.pid != pid) return;
  report.pid = pid;
  if (report.task.empty()) report.task = comm;
}

// A hung task's own dump comes first; the next one is that of the lock's owner.
void take_task(const TaskRow& task, ReportDraft& draft) {
  const LogReport& report = draft.report;
  const bool other =
      report.kind == ReportKind::hung_task && report.pid >= 0 && report.pid != task.tid;
  if (!draft.frames.empty() || other) {
    draft.stack_done = true;
    return;
  }
  note_whose(task.comm, task.tid, draft);
  if (draft.report.pid == task.tid) draft.report.state = task.state;
}

void push(SeenFrame frame, ReportDraft& draft) {
  if (draft.frames.size() < kMostFrames) draft.frames.push_back(std::move(frame));
}

void take_frame(const StackLine& line, ReportDraft& draft) {
  const bool inside = draft.in_interrupt;
  if (!line.callee.empty() && (draft.frames.empty() || draft.frames.back().function != line.callee))
    push({.function = line.callee, .interrupt = inside}, draft);
  push({.function = line.frame.function, .guessed = line.guessed, .interrupt = inside}, draft);
}

bool feed_stack(std::string_view text, ReportDraft& draft) {
  if (const auto task = task_line(text)) {
    take_task(*task, draft);
    return true;
  }
  const bool begun = !draft.frames.empty();
  if (begun && begins_another(text)) {
    draft.stack_done = true;
    return true;
  }
  if (const auto task = running_task(text)) {
    note_whose(task->comm, task->pid, draft);
    return true;
  }
  note_section(text, draft);
  if (auto function = running_function(text)) {
    push({.function = std::move(*function), .running = true}, draft);
    return true;
  }
  if (const auto frame = stack_line(text)) {
    take_frame(*frame, draft);
    return true;
  }
  return belongs_to_stack(text) || begins_another(text);
}

}  // namespace

bool is_begin_of_cpu_dump(std::string_view text) {
  return text.starts_with("NMI backtrace for cpu") || text.starts_with("Task dump for CPU") ||
         running_task(text).has_value();
}

bool feed_report(std::string_view text, ReportDraft& draft) {
  if (draft.stack_done) return false;
  for (const ReportFamily& family : report_families())
    if (family.kind == draft.report.kind && family.more != nullptr && family.more(text, draft))
      return true;
  return draft.stack_wanted && feed_stack(text, draft);
}

}  // namespace stallproof
