// SPDX-License-Identifier: Apache-2.0
// kernel/watchdog.c, kernel/watchdog_hld.c, arch/powerpc/kernel/watchdog.c; 2.6.32 to 7.x.
#include <array>

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
  if (const auto cpu = between(text, "CPU#", " "))
    if (const auto number = leading_pid(*cpu)) draft.cpus.push_back(*number);
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

// "CPU3: ", "CPU 59 self-", "CPU:59 ", taken off the front.
void take_cpu(std::string_view& text, ReportDraft& draft) {
  std::string_view rest = text;
  if (!take_start(rest, "CPU")) return;
  const std::size_t number = rest.find_first_of("0123456789");
  if (number > 1) return;
  rest.remove_prefix(number);
  if (const auto cpu = leading_pid(rest)) draft.cpus = {*cpu};
  while (!rest.empty() && is_digit(rest[0])) rest.remove_prefix(1);
  take_start(rest, ":");
  text = trimmed(rest);
}

// What follows "detected": " hard LOCKUP on cpu 3", " Hard LOCKUP other CPUS:42" (powerpc, 4.13),
// " LOCKUP on CPU 0, ip …" (2.6). The others that are stuck say it themselves.
bool read_hard_lockup(std::string_view text, ReportDraft& draft) {
  constexpr std::array<std::string_view, 5> kOfOne = {
      "detected hard LOCKUP on cpu", "self-detected hard LOCKUP", "Hard LOCKUP",
      "self-detected Hard LOCKUP", "detected LOCKUP on CPU"};
  constexpr std::array<std::string_view, 3> kOfOthers = {
      "detected hard LOCKUP on other CPUs",
      "detected hard LOCKUP other CPUS:", "detected Hard LOCKUP other CPUS:"};
  for (const std::string_view words : kOfOthers) {
    if (!take_start(text, words)) continue;
    draft.cpus.clear();
    if (const auto cpu = leading_pid(text)) draft.cpus = {*cpu};
    draft.of_others = true;
    return true;
  }
  for (const std::string_view words : kOfOne) {
    if (!take_start(text, words)) continue;
    if (const auto cpu = leading_pid(text)) draft.cpus = {*cpu};
    return true;
  }
  return false;
}

// powerpc: "self-detected hard LOCKUP @ f+0x1/0x2"
std::string place_in(std::string_view text) {
  const auto place = between(text, " @ ", "\n");
  if (!place) return {};
  if (const auto at = stack_line(*place)) return at->frame.function;
  return {};
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
  ReportDraft draft = lockup(ReportKind::hard_lockup);
  take_start(text, "BUG: ");
  drop_printer(text);
  take_start(text, "Watchdog ");
  take_cpu(text, draft);
  take_start(text, "Watchdog ");
  if (!read_hard_lockup(text, draft)) {
    if (is_cut_of(text, "detected hard LOCKUP on cpu", 10))
      return cut_header(ReportKind::hard_lockup, "hard lockup");
    return std::nullopt;
  }
  draft.only_first = panic;
  draft.place = place_in(text);
  return draft;
}

}  // namespace stallproof
