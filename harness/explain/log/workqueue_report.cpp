// SPDX-License-Identifier: Apache-2.0
// kernel/workqueue.c wq_watchdog_timer_fn and show_all_workqueues, 4.6 to 7.x. Who is to blame is
// the work that a worker of the stuck pool is at.
#include <string>

#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"

namespace stallproof {
namespace {

constexpr std::string_view kHeader = "BUG: workqueue lockup - pool";

// "cpus=2 node=0 flags=0x1 nice=-20": "2,0,-20". Both pools of a CPU, and the unbound ones, which
// have no node, are told apart; the flags change.
std::string pool_of(std::string_view text) {
  std::string pool;
  for (const std::string_view key : {"cpus=", "node=", "nice="}) {
    pool += between(text, key, " ").value_or(std::string_view{});
    pool += ',';
  }
  return pool;
}

// "in-flight: 14164:flush_work_fn, 99(RESCUER):other BAR(7)"
void read_in_flight(std::string_view text, ReportDraft& draft) {
  const auto pid = leading_pid(text);
  const std::size_t colon = text.find(':');
  if (!pid || colon == std::string_view::npos) return;
  text = trimmed(text.substr(colon + 1));
  const std::string_view function = text.substr(0, text.find_first_of(" ,+["));
  if (function.empty() || is_digit(function[0])) return;
  draft.report.function = function;
  draft.report.pid = *pid;
  draft.pool_blamed = true;
}

}  // namespace

std::optional<ReportDraft> begin_workqueue_lockup(std::string_view text) {
  if (is_cut_of(text, kHeader, 8)) return cut_header(ReportKind::workqueue_lockup, "workqueue");
  if (!take_start(text, kHeader)) return std::nullopt;
  ReportDraft draft;
  draft.report.kind = ReportKind::workqueue_lockup;
  draft.about = "workqueue lockup";
  draft.stack_wanted = true;
  draft.pool = pool_of(text);
  const auto stuck = between(text, " stuck for ", "!");
  if (stuck && stuck->ends_with("s"))
    draft.report.seconds = leading_number(*stuck);
  else
    draft.problem = "the header of a report is cut: workqueue lockup";
  return draft;
}

bool more_of_workqueue_lockup(std::string_view text, ReportDraft& draft) {
  if (text.starts_with("pwq ")) {
    draft.in_pool = pool_of(text) == draft.pool;
    return true;
  }
  if (take_start(text, "in-flight: ")) {
    if (!draft.pool_blamed && draft.in_pool) read_in_flight(text, draft);
    return true;
  }
  return text.starts_with("workqueue ") || text.starts_with("pending: ") ||
         text.starts_with("inactive: ") || text.starts_with("delayed: ") ||
         text.starts_with("pool ") || text.starts_with("Showing busy workqueues") ||
         text.starts_with("Showing backtraces of running workers");
}

}  // namespace stallproof
