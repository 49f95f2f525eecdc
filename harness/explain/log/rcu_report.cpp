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
  const bool info = take_start(text, "INFO: ");
  const std::string_view whole = text;
  if (!take_flavour(text)) return std::nullopt;
  for (const std::string_view phrase : kStarved) {
    if (info || !text.starts_with(phrase)) continue;
    ReportDraft starved = stall("rcu kthread starved");
    starved.title_has_function = false;
    starved.only_first = true;
    return starved;
  }
  if (!info) return std::nullopt;
  for (const std::string_view phrase : kPhrases) {
    if (text.starts_with(phrase)) {
      ReportDraft draft = stall(
          phrase.find("expedited") != std::string_view::npos ? "rcu expedited stall" : "rcu stall");
      note_task(whole, draft);
      return draft;
    }
  }
  for (const std::string_view phrase : kPhrases)
    if (is_cut_of(text, phrase, 2)) return cut_header(ReportKind::rcu_stall, "RCU stall");
  return std::nullopt;
}

bool more_of_rcu_stall(std::string_view text, ReportDraft& draft) {
  if (draft.stack_done || !draft.frames.empty()) return false;
  if (text.starts_with("Tasks blocked on level-") || text.starts_with("blocking rcu_node")) {
    note_task(text, draft);
    return true;
  }
  return text.starts_with("(detected by ") || text.starts_with("(t=") ||
         text.starts_with("INFO: Stall ended before state dump start");
}

}  // namespace stallproof
