// SPDX-License-Identifier: Apache-2.0
// kernel/watchdog.c, kernel/watchdog_hld.c, arch/powerpc/kernel/watchdog.c; 2.6.32 to 7.x.
#include <algorithm>

#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"
#include "harness/explain/log/stack_line.h"

namespace stallproof {
namespace {

ReportDraft lockup(ReportKind kind) {
  ReportDraft draft;
  draft.report.kind = kind;
  draft.report.state = 'R';
  draft.about = kind == ReportKind::soft_lockup ? "soft lockup" : "hard lockup";
  draft.stack_wanted = draft.on_cpu = true;
  return draft;
}

void drop_printer(std::string_view& text) {
  take_start(text, "NMI ");
  take_start(text, "watchdog: ");
}

// " - CPU#1 stuck for 22s! [java:1234]", where the name may hold brackets and colons.
void read_soft_lockup(std::string_view text, ReportDraft& draft) {
  draft.problem = "the header of a report is cut: soft lockup";
  const auto stuck = between(text, " stuck for ", "!");
  if (!stuck || stuck->empty() || stuck->back() != 's') return;
  draft.report.seconds = leading_number(*stuck);
  const auto inside = between(text, "! [", "\n");
  if (!inside) return;
  const std::size_t end = inside->rfind(']');
  if (end == std::string_view::npos) return;
  const auto name = task_name(inside->substr(0, end));
  if (!name) return;
  draft.report.task = name->comm;
  draft.report.pid = name->pid;
  draft.problem.clear();
}

// "CPU3: ", "CPU 59 self-", "CPU:59 "
void drop_cpu(std::string_view& text) {
  std::string_view rest = text;
  if (!take_start(rest, "CPU")) return;
  const std::size_t number = rest.find_first_of("0123456789");
  if (number > 1) return;
  rest.remove_prefix(number);
  while (!rest.empty() && is_digit(rest[0])) rest.remove_prefix(1);
  take_start(rest, ":");
  text = trimmed(rest);
}

}  // namespace

std::optional<ReportDraft> begin_soft_lockup(std::string_view text) {
  if (take_start(text, kPanic)) {
    if (!text.starts_with("softlockup: hung tasks")) return std::nullopt;
    ReportDraft panic = lockup(ReportKind::soft_lockup);
    panic.only_first = true;
    return panic;
  }
  drop_printer(text);
  if (!take_start(text, "BUG: soft lockup")) {
    if (is_cut_of(text, "BUG: soft lockup", 8))
      return cut_header(ReportKind::soft_lockup, "soft lockup");
    return std::nullopt;
  }
  ReportDraft draft = lockup(ReportKind::soft_lockup);
  if (!text.starts_with(" detected on CPU#")) read_soft_lockup(text, draft);
  return draft;
}

std::optional<ReportDraft> begin_hard_lockup(std::string_view text) {
  const bool panic = take_start(text, kPanic);
  drop_printer(text);
  take_start(text, "Watchdog ");
  drop_cpu(text);
  take_start(text, "Watchdog ");
  const bool known = text.starts_with("detected hard LOCKUP on cpu") ||
                     text.starts_with("detected hard LOCKUP on other CPUs") ||
                     text.starts_with("self-detected hard LOCKUP") ||
                     text.starts_with("Hard LOCKUP");
  if (!known) {
    if (is_cut_of(text, "detected hard LOCKUP on cpu", 10))
      return cut_header(ReportKind::hard_lockup, "hard lockup");
    return std::nullopt;
  }
  ReportDraft draft = lockup(ReportKind::hard_lockup);
  draft.only_first = panic;
  // powerpc: "self-detected hard LOCKUP @ f+0x1/0x2"
  if (const auto place = between(text, " @ ", "\n"))
    if (const auto at = stack_line(*place))
      draft.frames.push_back({.function = at->frame.function});
  return draft;
}

}  // namespace stallproof
