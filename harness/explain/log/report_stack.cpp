// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/report_stack.h"

#include <algorithm>
#include <array>

#include "harness/explain/log/log_words.h"
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
  return text.starts_with("Sending NMI ") || text.starts_with("Kernel panic") ||
         text.starts_with("---[ end ") || text.starts_with("Showing all locks held") ||
         text.starts_with("Last Breaking-Event-Address");
}

// Of something that is no report of ours, with a stack of its own.
bool begins_oops(std::string_view text) {
  constexpr std::array<std::string_view, 8> kWords = {"------------[ cut here",
                                                      "BUG: ",
                                                      "Oops",
                                                      "WARNING: CPU",
                                                      "kernel BUG at ",
                                                      "general protection fault",
                                                      "Unable to handle kernel",
                                                      "invalid opcode"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [text](std::string_view word) { return text.starts_with(word); });
}

// Whose own task is dumped, not what a CPU runs.
bool is_of_task(ReportKind kind) {
  return kind == ReportKind::hung_task || kind == ReportKind::sysrq_blocked ||
         kind == ReportKind::workqueue_lockup;
}

bool has_stack(const ReportDraft& draft) {
  return std::any_of(draft.frames.begin(), draft.frames.end(),
                     [](const SeenFrame& frame) { return !frame.running; });
}

void note_section(std::string_view text, ReportDraft& draft) {
  if (!has(text, ">")) return;
  if (has(text, "<IRQ>") || has(text, "<NMI>") || has(text, "<SOFTIRQ>"))
    draft.in_interrupt = !has(text, "</");
  if (has(text, "</IRQ>") || has(text, "</NMI>") || has(text, "<EOI>") || has(text, "<EOE>"))
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
  // The header names several; this is the one whose stack is told.
  if (report.kind == ReportKind::rcu_stall) draft.report.pid = -1;
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
  push({.function = line.frame.function,
        .guessed = line.guessed,
        .pointer = line.pointer,
        .interrupt = inside},
       draft);
}

// "Workqueue: events brick_work_fn [brickfs]"
void note_work(std::string_view text, ReportDraft& draft) {
  if (!take_start(text, "Workqueue: ") || !draft.work.empty()) return;
  const auto words = words_of(text);
  if (words.size() > 1) draft.work = words[1];
}

void begin_cpu_dump(std::string_view text, int cpu, ReportDraft& draft) {
  const auto& cpus = draft.cpus;
  const auto task = running_task(text);
  // Some tell first what the CPU ran, then its stack, each with a line about the task.
  const bool same = task && task->pid == draft.report.pid && !has_stack(draft);
  if (is_of_task(draft.report.kind) || (!draft.frames.empty() && !same)) {
    draft.stack_done = true;
    return;
  }
  const bool none_follows = has(text, " skipped: ");
  draft.elsewhere = !none_follows && !cpus.empty() && cpu >= 0 &&
                    std::find(cpus.begin(), cpus.end(), cpu) == cpus.end();
  if (task && !draft.elsewhere) note_whose(task->comm, task->pid, draft);
}

bool is_of_stack(std::string_view text) {
  return task_line(text) || running_function(text) || stack_line(text) || belongs_to_stack(text);
}

bool feed_stack(std::string_view text, ReportDraft& draft) {
  if (const auto cpu = cpu_of_dump(text)) {
    begin_cpu_dump(text, *cpu, draft);
    return true;
  }
  if (draft.elsewhere) return is_of_stack(text);
  if (const auto task = task_line(text)) {
    take_task(*task, draft);
    return true;
  }
  const bool over = begins_another(text) || is_call_trace(text);
  if (begins_oops(text) || (over && has_stack(draft))) {
    draft.stack_done = true;
    return true;
  }
  note_work(text, draft);
  note_section(text, draft);
  if (auto function = running_function(text)) {
    push({.function = std::move(*function), .running = true}, draft);
    return true;
  }
  if (const auto frame = stack_line(text)) {
    // Where the others have an address, the rest of a line that another one broke.
    if (draft.addressed && !frame->addressed && frame->callee.empty()) return true;
    draft.addressed = frame->addressed;
    take_frame(*frame, draft);
    return true;
  }
  return belongs_to_stack(text) || over;
}

// The number behind "cpu ", "CPU ", "CPU: "; -1 without one.
int cpu_behind(std::string_view text, std::string_view words) {
  text.remove_prefix(words.size());
  return leading_pid(text).value_or(-1);
}

}  // namespace

std::optional<int> cpu_of_dump(std::string_view text) {
  for (const std::string_view words : {"NMI backtrace for cpu", "Task dump for CPU"})
    if (text.starts_with(words)) return cpu_behind(text, words);
  if (!running_task(text)) return std::nullopt;
  return text.starts_with("CPU:") ? cpu_behind(text, "CPU:") : -1;
}

bool feed_report(std::string_view text, ReportDraft& draft) {
  if (draft.stack_done) return false;
  for (const ReportFamily& family : report_families())
    if (family.kind == draft.report.kind && family.more != nullptr && family.more(text, draft))
      return true;
  return draft.stack_wanted && feed_stack(text, draft);
}

}  // namespace stallproof
