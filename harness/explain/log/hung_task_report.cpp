// SPDX-License-Identifier: Apache-2.0
// kernel/hung_task.c check_hung_task, 2.6.18 to 7.x: "INFO: task java:22 blocked for more than 122
// seconds."; "blocked in I/O wait" in the newest, "can't die" in linux-next, "s." of some vendors.
#include <array>

#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"

namespace stallproof {
namespace {

struct Phrase {
  std::string_view words;
  std::string_view about;
};
constexpr std::array<Phrase, 3> kPhrases{{{" blocked for more than ", "task hung"},
                                          {" blocked in I/O wait for more than ", "task hung"},
                                          {" can't die for more than ", "task can't die"}}};

ReportDraft hung_task(std::string_view about) {
  ReportDraft draft;
  draft.report.kind = ReportKind::hung_task;
  draft.report.state = 'D';
  draft.about = about;
  draft.stack_wanted = true;
  return draft;
}

// " seconds.", " s."
bool is_unit(std::string_view text) {
  return text.starts_with(" seconds") || text == " s." || text == " s";
}

}  // namespace

std::optional<ReportDraft> begin_hung_task(std::string_view text) {
  if (take_start(text, kPanic)) {
    if (!text.starts_with("hung_task: blocked tasks")) return std::nullopt;
    ReportDraft panic = hung_task("task hung");
    panic.only_first = true;
    panic.stack_wanted = false;
    return panic;
  }
  if (!take_start(text, "INFO: task ")) return std::nullopt;
  for (const Phrase& phrase : kPhrases) {
    const std::size_t at = text.rfind(phrase.words);
    if (at == std::string_view::npos) continue;
    const auto name = task_name(text.substr(0, at));
    if (!name) break;
    ReportDraft draft = hung_task(phrase.about);
    draft.report.task = name->comm;
    draft.report.pid = name->pid;
    std::string_view rest = text.substr(at + phrase.words.size());
    const auto seconds = leading_number(rest);
    while (!rest.empty() && is_digit(rest[0])) rest.remove_prefix(1);
    if (seconds && !rest.empty()) draft.report.seconds = *seconds;
    if (!seconds || !is_unit(rest)) draft.problem = "the header of a report is cut: hung task";
    return draft;
  }
  return cut_header(ReportKind::hung_task, "hung task");
}

}  // namespace stallproof
