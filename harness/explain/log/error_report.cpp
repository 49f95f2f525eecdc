// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "harness/explain/log/error_lines.h"
#include "harness/explain/log/line_pattern.h"
#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"

namespace stallproof {
namespace {

// What stood before the error of a request: 3.10, 4.x to 5.15, 4.14 to 4.20.
constexpr std::array<std::string_view, 3> kPrinters = {
    "end_request: ", "blk_update_request: ", "print_req_error: "};

constexpr std::size_t kLongest = 1024;  // printk LOG_LINE_MAX

bool is_function(std::string_view name) {
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           is_digit(letter) || letter == '_' || letter == '.';
  };
  // A macro that checks (XFS_WANT_CORRUPTED_GOTO) is no function.
  const auto small = [](char letter) { return letter >= 'a' && letter <= 'z'; };
  return !is_digit(name.empty() ? '0' : name[0]) && std::all_of(name.begin(), name.end(), fits) &&
         std::any_of(name.begin(), name.end(), small);
}

bool has_gap(std::string_view pattern, std::string_view gap) {
  return pattern.find(gap) != std::string_view::npos;
}

std::optional<ReportDraft> first_fit(std::span<const ErrorLine> rows, ReportKind kind,
                                     std::string_view text) {
  for (const ErrorLine& row : rows) {
    if (row.pattern[0] != text[0] && row.pattern[0] != '{') continue;
    const auto gaps = match_line(row.pattern, text);
    if (!gaps || (has_gap(row.pattern, "{fn}") && !is_function(gaps->of("fn")))) continue;
    if (row.title.empty()) return std::nullopt;
    ReportDraft draft;
    draft.report.kind = kind;
    draft.report.title = filled(row.title, *gaps);
    draft.report.function = gaps->of("fn");
    draft.report.task = gaps->of("task");
    draft.report.pid = leading_pid(gaps->of("pid")).value_or(-1);
    draft.report.stalls = row.stalls;
    return draft;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ReportDraft> begin_error(std::string_view text) {
  text = text.substr(0, kLongest);
  for (const std::string_view printer : kPrinters) take_start(text, printer);
  if (text.empty()) return std::nullopt;
  auto found = first_fit(io_error_lines(), ReportKind::io_error, text);
  if (!found) found = first_fit(server_error_lines(), ReportKind::io_error, text);
  return found ? found : first_fit(fs_error_lines(), ReportKind::fs_error, text);
}

}  // namespace stallproof
