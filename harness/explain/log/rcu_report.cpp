// SPDX-License-Identifier: Apache-2.0
// kernel/rcu/tree_stall.h, tree_exp.h, tasks.h (tree.c before 4.20); one line in 3.10, several
// since 4.x. Their jiffies are not turned into seconds: HZ is not in the log.
#include <algorithm>
#include <array>

#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"

namespace stallproof {
namespace {

constexpr std::array<std::string_view, 7> kPhrases = {
    " self-detected stall on CPU",
    " self-detected stalls on CPU",
    " detected stalls on CPUs/tasks:",
    " detected expedited stalls on CPUs/tasks:",
    " detected stalls on tasks:",
    " detected stall on CPU",
    " detected stall, but suppressed full report"};
constexpr std::size_t kMostCpus = 64;
constexpr std::array<std::string_view, 2> kStarved = {" kthread starved for ",
                                                      " kthread timer wakeup didn't happen for "};

ReportDraft stall(std::string_view about) {
  ReportDraft draft;
  draft.report.kind = ReportKind::rcu_stall;
  draft.about = about;
  draft.stack_wanted = draft.on_cpu = true;
  return draft;
}

// "{ 2-... P3544 }", "Tasks blocked on level-0 rcu_node (CPUs 0-1): P3544/1:b..l"
void note_task(std::string_view text, ReportDraft& draft) {
  if (draft.report.pid >= 0) return;
  const std::size_t at = text.find(" P");
  if (at == std::string_view::npos || at + 2 >= text.size() || !is_digit(text[at + 2])) return;
  draft.report.pid = leading_pid(text.substr(at + 2)).value_or(-1);
}

void note_cpu(std::string_view text, ReportDraft& draft) {
  if (const auto cpu = leading_pid(text); cpu && draft.cpus.size() < kMostCpus)
    draft.cpus.push_back(*cpu);
}

// In the header: "{ 2 3-... P3544 }", "on CPU 0 (t=105060 jiffies)".
void note_cpus(std::string_view text, ReportDraft& draft) {
  if (const auto one = between(text, "detected stall on CPU ", "(")) note_cpu(*one, draft);
  const auto braces = between(text, "{", "}");
  if (!braces) return;
  for (const std::string_view word : words_of(*braces))
    if (is_digit(word[0])) note_cpu(word, draft);
}

// Of a line of its own: "1-...!: (1 GPs behind) idle=…", "1-...D" of an expedited stall.
bool is_cpu_line(std::string_view text) {
  const std::size_t dash = text.find_first_not_of("0123456789");
  if (dash == 0 || dash == std::string_view::npos || text[dash] != '-') return false;
  const std::size_t end = text.find_first_not_of(".!0123456789OoNDEB", dash + 1);
  return end == std::string_view::npos || text.substr(end).starts_with(": (");
}

// "rcu_tasks_wait_gp: rcu_tasks grace period number 37 (since boot) is 2402 jiffies old."
bool is_old_tasks_period(std::string_view text) {
  return text.find("rcu_tasks") < 32 && text.find(" grace period number ") < 80 &&
         text.ends_with("jiffies old.");
}

// "rcu_sched", "rcu_tasks_trace": taken off the front.
bool take_flavour(std::string_view& text) {
  if (!text.starts_with("rcu_")) return false;
  text.remove_prefix(std::min(text.find_first_of(" :"), text.size()));
  return true;
}

}  // namespace

std::optional<ReportDraft> begin_rcu_stall(std::string_view text) {
  if (take_start(text, kPanic)) {
    if (!text.starts_with("RCU Stall")) return std::nullopt;
    ReportDraft panic = stall("rcu stall");
    panic.only_first = true;
    return panic;
  }
  take_start(text, "rcu: ");
  if (is_old_tasks_period(text)) {
    ReportDraft old = stall("rcu stall");
    old.only_first = true;
    old.stack_wanted = old.on_cpu = false;
    return old;
  }
  const bool info = take_start(text, "INFO: ");
  const std::string_view whole = text;
  if (info && text.starts_with("RCU detected CPU ")) return stall("rcu stall");  // 2.6.30
  if (!take_flavour(text)) return std::nullopt;
  for (const std::string_view phrase : kStarved) {
    if (info || !text.starts_with(phrase)) continue;
    ReportDraft starved = stall("rcu kthread starved");
    starved.title_has_function = false;
    starved.only_first = starved.of_victim = true;
    return starved;
  }
  if (!info) return std::nullopt;
  for (const std::string_view phrase : kPhrases) {
    if (text.starts_with(phrase)) {
      ReportDraft draft = stall(
          phrase.find("expedited") != std::string_view::npos ? "rcu expedited stall" : "rcu stall");
      note_task(whole, draft);
      note_cpus(whole, draft);
      draft.stack_done = phrase.ends_with("suppressed full report");
      return draft;
    }
  }
  for (const std::string_view phrase : kPhrases)
    if (is_cut_of(text, phrase, 2)) return cut_header(ReportKind::rcu_stall, "RCU stall");
  return std::nullopt;
}

bool more_of_rcu_stall(std::string_view text, ReportDraft& draft) {
  if (draft.stack_done || !draft.frames.empty()) return false;
  take_start(text, "rcu: ");
  text = trimmed(text);
  if (text.starts_with("Tasks blocked on level-") || text.starts_with("blocking rcu_node")) {
    note_task(text, draft);
    return true;
  }
  if (is_cpu_line(text)) {
    note_cpu(text, draft);
    return true;
  }
  // The dump that follows is of the one that looked; of the thread that waits for a CPU; of the CPU
  // that it last ran on.
  if (text.starts_with("All QSes seen,") ||
      text.starts_with("INFO: Stall ended before state dump start")) {
    draft.stack_done = true;
    return true;
  }
  const bool last_cpu = text.starts_with("Stack dump where RCU GP kthread last ran");
  if (last_cpu || text.starts_with("RCU grace-period kthread stack dump")) {
    draft.elsewhere = true;
    draft.stack_done = last_cpu && draft.cpus.empty();
    return true;
  }
  return text.starts_with("(detected by ") || text.starts_with("(t=") ||
         text.starts_with("Unless rcu_") || text.starts_with("Possible timer handling issue");
}

}  // namespace stallproof
