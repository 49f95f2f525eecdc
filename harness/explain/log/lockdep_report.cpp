// SPDX-License-Identifier: Apache-2.0
// kernel/locking/lockdep.c, 3.10 to 7.x: orders of locks that can deadlock.
#include <algorithm>
#include <array>

#include "harness/explain/kernel_functions.h"
#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"
#include "harness/explain/log/stack_line.h"

namespace stallproof {
namespace {

struct Phrase {
  std::string_view words;
  std::string_view about;
};
constexpr std::array<Phrase, 11> kPhrases{{
    {"possible circular locking dependency detected", "circular locking"},
    {"possible recursive locking detected", "recursive locking"},
    {"inconsistent lock state", "inconsistent lock state"},
    {"possible irq lock inversion dependency detected", "irq lock inversion"},
    {"SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", "softirq-unsafe lock order"},
    {"HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", "hardirq-unsafe lock order"},
    {"RECLAIM_FS-safe -> RECLAIM_FS-unsafe lock order detected", "reclaim-unsafe lock order"},
    {"bad unlock balance detected", "bad unlock balance"},
    {"held lock freed", "held lock freed"},
    {"Invalid wait context", "invalid wait context"},
    {"lock held when returning to user space", "lock held in user mode"},
}};
constexpr std::size_t kMostClasses = 32;

// "&mm->mmap_lock#2/1": the number tells copies and nesting apart.
std::string_view plain_class(std::string_view name) {
  for (std::size_t end = name.find_last_not_of("0123456789");
       end != std::string_view::npos && end > 0 && end + 1 < name.size() &&
       (name[end] == '#' || name[end] == '/');
       end = name.find_last_not_of("0123456789"))
    name = name.substr(0, end);
  return name;
}

// "ffff8880123 (&mm->mmap_lock#2){++++}-{3:3}, at: …": the class may itself hold parentheses.
std::string_view class_in(std::string_view text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind("){");
  if (open == std::string_view::npos || close == std::string_view::npos || close <= open) return {};
  return plain_class(trimmed(text.substr(open + 1, close - open - 1)));
}

void note_lock(std::string_view text, ReportDraft& draft) {
  const bool wanted = draft.expects == ReportDraft::Expects::wanted_lock;
  draft.expects = ReportDraft::Expects::nothing;
  const std::string_view name = class_in(text);
  if (name.empty() || draft.classes.size() >= 2) return;
  if (std::find(draft.classes.begin(), draft.classes.end(), name) == draft.classes.end())
    draft.classes.insert(wanted ? draft.classes.end() : draft.classes.begin(), std::string(name));
  const auto place = between(text, ", at: ", "\n");
  if (!wanted || !place) return;
  const auto at = stack_line(*place);
  if (at && !is_way_to_wait(at->frame.function))
    draft.frames.push_back({.function = at->frame.function});
  else if (place->ends_with(" [inline]"))  // the same lock once more, in who called that
    draft.expects = ReportDraft::Expects::wanted_lock;
}

// "java/1234 is trying to acquire lock:", "swapper/0/0 [HC0[0]:SC1[1]:HE1:SE0] takes:"
bool note_task(std::string_view text, std::string_view phrase, ReportDraft& draft) {
  if (!text.ends_with(phrase)) return false;
  std::string_view name = trimmed(text.substr(0, text.size() - phrase.size()));
  name = trimmed(name.substr(0, name.find(" [HC")));
  if (const auto task = task_name(name, '/'); task && draft.report.task.empty()) {
    draft.report.task = task->comm;
    draft.report.pid = task->pid;
  }
  draft.expects = ReportDraft::Expects::wanted_lock;
  return true;
}

}  // namespace

std::optional<ReportDraft> begin_lockdep(std::string_view text) {
  const bool boxed = take_start(text, "[ ");
  if (!take_start(text, "WARNING: ") && !take_start(text, "INFO: ") &&
      !(boxed && take_start(text, "BUG: ")))
    return std::nullopt;
  for (const Phrase& phrase : kPhrases) {
    if (text.starts_with(phrase.words)) {
      ReportDraft draft;
      draft.report.kind = ReportKind::lockdep;
      draft.about = phrase.about;
      draft.report.stalls = false;  // it could, it did not
      if (boxed && !text.ends_with("]")) draft.problem = "the header of a report is cut: lockdep";
      return draft;
    }
    if (is_cut_of(text, phrase.words, 9)) return cut_header(ReportKind::lockdep, "lockdep");
  }
  return std::nullopt;
}

bool more_of_lockdep(std::string_view text, ReportDraft& draft) {
  using Expects = ReportDraft::Expects;
  if (text == "stack backtrace:") return draft.stack_wanted = true;
  if (draft.stack_wanted) return false;
  if (text.starts_with("-> #")) {
    if (const std::string_view name = class_in(text);
        !name.empty() && draft.chain.size() < kMostClasses)
      draft.chain.emplace_back(name);
    return true;
  }
  for (const std::string_view phrase :
       {" is trying to acquire lock:", " is trying to acquire:", " is trying to lock:", " takes:",
        " just changed the state of lock:"})
    if (note_task(text, phrase, draft)) return true;
  if (text.starts_with("but task is already holding") ||
      text.starts_with("and this task is already holding")) {
    draft.expects = Expects::held_lock;
    return true;
  }
  if (draft.expects != Expects::nothing && !text.empty()) {
    note_lock(text, draft);
    return true;
  }
  return true;  // everything up to the backtrace is about the locks
}

}  // namespace stallproof
