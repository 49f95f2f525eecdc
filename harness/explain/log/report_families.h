// SPDX-License-Identifier: Apache-2.0
// The families of reports that are known: how each begins and which later lines tell more of it.
// Pure and total. `text` is a line without prefixes.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "harness/explain/log/report_draft.h"

namespace stallproof {

struct ReportFamily {
  ReportKind kind = ReportKind::hung_task;
  // A header, also one that is cut (`problem`); absent for any other line.
  std::optional<ReportDraft> (*begin)(std::string_view text) = nullptr;
  // Whether the line belongs to the report; null where nothing but a stack follows.
  bool (*more)(std::string_view text, ReportDraft& draft) = nullptr;
};

// One row per kind that has a header; the errors share theirs (io_error).
std::span<const ReportFamily> report_families();

std::optional<ReportDraft> begin_hung_task(std::string_view text);
std::optional<ReportDraft> begin_soft_lockup(std::string_view text);
std::optional<ReportDraft> begin_hard_lockup(std::string_view text);
std::optional<ReportDraft> begin_rcu_stall(std::string_view text);
bool more_of_rcu_stall(std::string_view text, ReportDraft& draft);
std::optional<ReportDraft> begin_workqueue_lockup(std::string_view text);
bool more_of_workqueue_lockup(std::string_view text, ReportDraft& draft);
std::optional<ReportDraft> begin_lockdep(std::string_view text);
bool more_of_lockdep(std::string_view text, ReportDraft& draft);
std::optional<ReportDraft> begin_error(std::string_view text);

// What a line of the sysrq handler means (drivers/tty/sysrq.c).
enum class SysrqLine { none, shows_tasks, refused, other };
SysrqLine sysrq_line(std::string_view text);
ReportDraft sysrq_task(const TaskRow& task);

// Shared by the families.
inline constexpr std::string_view kPanic = "Kernel panic - not syncing: ";
bool is_single_line(ReportKind kind);
// The text ends inside of `whole`, with at least `least` characters of it.
bool is_cut_of(std::string_view text, std::string_view whole, std::size_t least);
ReportDraft cut_header(ReportKind kind, std::string_view what);

// Sets function and title from what was collected.
void conclude(ReportDraft& draft);

}  // namespace stallproof
