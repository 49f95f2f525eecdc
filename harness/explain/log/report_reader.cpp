// SPDX-License-Identifier: Apache-2.0
// Puts the lines of each report together. Where the kernel tells who printed a line, the reports of
// different CPUs are kept apart by that; else a report goes on until the next header, or until too
// many lines came that are none of its own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "harness/explain/kernel_report.h"
#include "harness/explain/log/blocker_line.h"
#include "harness/explain/log/log_line.h"
#include "harness/explain/log/log_words.h"
#include "harness/explain/log/report_families.h"
#include "harness/explain/log/report_stack.h"
#include "harness/explain/log/task_line.h"

namespace stallproof {
namespace {

constexpr std::size_t kNone = ~std::size_t{0};
constexpr int kForeignLines = 60;           // after which a report is over
constexpr std::size_t kConsequence = 3000;  // lines in which a panic belongs to its report

// What one printer of lines is at.
struct Strand {
  std::vector<std::size_t> open;  // drafts that its lines belong to
  int foreign = 0;                // lines since, that did not
  bool sysrq = false;             // tasks that follow were asked for by sysrq
  std::string unfinished;         // a header that may go on in the next line
  std::size_t unfinished_line = 0;
};

class ReportReader {
 public:
  KernelReports read(std::string_view text) {
    each_log_line(text, [this](const LogLine& line) { take(line); });
    for (auto& [caller, strand] : strands_) give_up_header(strand);
    for (ReportDraft& draft : drafts_) {
      conclude(draft);
      out_.reports.push_back(std::move(draft.report));
    }
    std::stable_sort(out_.problems.begin(), out_.problems.end(),
                     [](const TextProblem& a, const TextProblem& b) { return a.line < b.line; });
    return std::move(out_);
  }

 private:
  void problem(std::size_t line, std::string what) {
    out_.problems.push_back({line, std::move(what)});
  }

  void take(const LogLine& line) {
    if (line.by_process) return;
    out_.is_kernel_log = out_.is_kernel_log || line.stamped;
    if (line.text.empty()) return;
    Strand& strand = strands_[line.caller];
    if (finish_header(line, strand)) return;
    if (take_sysrq(line, strand) || take_blocker(line) || take_header(line, strand)) return;
    if (strand.sysrq)
      if (const auto task = task_line(line.text)) return sysrq_dump(*task, line, strand);
    feed(line, strand);
  }

  // "INFO: task a\nb:22 blocked …": a comm may hold a newline.
  bool finish_header(const LogLine& line, Strand& strand) {
    if (strand.unfinished.empty()) return false;
    const std::string whole = fmt::format("{}\n{}", strand.unfinished, line.text);
    auto draft = begin_hung_task(whole);
    if (line.text.starts_with("INFO: ") || !draft || draft->unusable) {
      give_up_header(strand);
      return false;
    }
    strand.unfinished.clear();
    add(std::move(*draft), strand.unfinished_line, strand);
    return true;
  }

  void give_up_header(Strand& strand) {
    if (strand.unfinished.empty()) return;
    problem(strand.unfinished_line, "the header of a report is cut: hung task");
    strand.unfinished.clear();
  }

  bool take_sysrq(const LogLine& line, Strand& strand) {
    const SysrqLine meaning = sysrq_line(line.text);
    if (meaning == SysrqLine::none) return false;
    strand.open.clear();
    strand.sysrq = meaning == SysrqLine::shows_tasks;
    if (meaning == SysrqLine::refused)
      problem(line.number,
              "sysrq was refused by the kernel (sysctl kernel.sysrq): what it should have shown is "
              "not in this log");
    out_.is_kernel_log = true;
    return true;
  }

  void sysrq_dump(const TaskRow& task, const LogLine& line, Strand& strand) {
    strand.open.clear();
    if (task.state != 'D') return;
    ReportDraft draft = sysrq_task(task);
    draft.report.line = line.number;
    strand.open = {drafts_.size()};
    strand.foreign = 0;
    drafts_.push_back(std::move(draft));
  }

  bool take_blocker(const LogLine& line) {
    if (!line.text.starts_with("INFO: task ")) return false;
    auto blocker = blocker_line(line.text);
    if (!blocker) {
      if (line.text.find(" blocked on a") == std::string_view::npos) return false;
      problem(line.number, "a line about the owner of a lock is cut");
      return true;
    }
    blocker->owner.line = line.number;
    const auto known = hung_by_pid_.find(blocker->waiter_pid);
    if (known != hung_by_pid_.end()) {
      drafts_[known->second].report.owners.push_back(std::move(blocker->owner));
      return true;
    }
    ReportDraft draft;
    draft.about = "task hung";
    draft.report.state = 'D';
    draft.report.task = std::move(blocker->waiter);
    draft.report.pid = blocker->waiter_pid;
    draft.report.line = line.number;
    draft.report.owners.push_back(std::move(blocker->owner));
    problem(line.number, "the owner of a lock is told, but the header of that report is cut");
    hung_by_pid_[draft.report.pid] = drafts_.size();
    drafts_.push_back(std::move(draft));
    return true;
  }

  bool take_header(const LogLine& line, Strand& strand) {
    for (const ReportFamily& family : report_families()) {
      auto draft = family.begin(line.text);
      if (!draft) continue;
      if (draft->unfinished) {
        strand.unfinished = line.text;
        strand.unfinished_line = line.number;
        return true;
      }
      if (!draft->problem.empty()) problem(line.number, draft->problem);
      if (draft->unusable) return true;
      if (draft->only_first && is_consequence(draft->report.kind, line.number)) {
        end_stacks(strand);
        return true;
      }
      add(std::move(*draft), line.number, strand);
      return true;
    }
    return false;
  }

  bool is_consequence(ReportKind kind, std::size_t line) const {
    const auto last = last_of_kind_.find(kind);
    return last != last_of_kind_.end() && line - last->second < kConsequence;
  }

  void end_stacks(Strand& strand) {
    for (const std::size_t index : strand.open)
      drafts_[index].stack_done = !drafts_[index].frames.empty();
  }

  void add(ReportDraft draft, std::size_t line, Strand& strand) {
    const ReportKind kind = draft.report.kind;
    draft.report.line = line;
    last_of_kind_[kind] = line;
    const std::size_t index = drafts_.size();
    if (kind == ReportKind::hung_task) hung_by_pid_[draft.report.pid] = index;
    drafts_.push_back(std::move(draft));
    if (is_single_line(kind)) return;  // printed by anybody, within reports of others
    // Several stuck pools are told first, then what all of them are at.
    const bool another_pool = kind == ReportKind::workqueue_lockup && !strand.open.empty() &&
                              drafts_[strand.open.back()].report.kind == kind &&
                              strand.foreign == 0 && !pools_told_;
    if (!another_pool) strand.open.clear();
    strand.open.push_back(index);
    strand.foreign = 0;
    strand.sysrq = false;
    pools_told_ = false;
    if (drafts_[index].on_cpu) wants_cpu_ = index;
  }

  // The stack of a CPU that was asked by an NMI comes from that CPU, under its own name.
  void adopt(const LogLine& line, Strand& strand) {
    if (wants_cpu_ == kNone || !is_begin_of_cpu_dump(line.text)) return;
    const ReportDraft& draft = drafts_[wants_cpu_];
    if (draft.stack_done || line.number - draft.report.line > kConsequence) {
      wants_cpu_ = kNone;
      return;
    }
    strand.open = {wants_cpu_};
    strand.foreign = 0;
  }

  void feed(const LogLine& line, Strand& strand) {
    const bool idle = std::all_of(strand.open.begin(), strand.open.end(),
                                  [this](std::size_t index) { return drafts_[index].stack_done; });
    if (idle) adopt(line, strand);
    if (strand.open.empty()) return;
    bool used = false;
    for (const std::size_t index : strand.open) {
      ReportDraft& draft = drafts_[index];
      used = feed_report(line.text, draft) || used;
    }
    if (used) pools_told_ = true;
    strand.foreign = used ? 0 : strand.foreign + 1;
    if (strand.foreign > kForeignLines) strand.open.clear();
  }

  KernelReports out_;
  std::vector<ReportDraft> drafts_;
  std::unordered_map<std::uint64_t, Strand> strands_;
  std::unordered_map<std::int32_t, std::size_t> hung_by_pid_;
  std::map<ReportKind, std::size_t> last_of_kind_;
  std::size_t wants_cpu_ = kNone;  // the last report that waits for the stack of another CPU
  bool pools_told_ = false;        // what the open workqueue reports are at was read
};

}  // namespace

KernelReports parse_kernel_reports(std::string_view text) { return ReportReader().read(text); }

std::string_view to_word(ReportKind kind) {
  switch (kind) {
    case ReportKind::hung_task:
      return "hung_task";
    case ReportKind::soft_lockup:
      return "soft_lockup";
    case ReportKind::hard_lockup:
      return "hard_lockup";
    case ReportKind::rcu_stall:
      return "rcu_stall";
    case ReportKind::workqueue_lockup:
      return "workqueue_lockup";
    case ReportKind::lockdep:
      return "lockdep";
    case ReportKind::sysrq_blocked:
      return "sysrq_blocked";
    case ReportKind::io_error:
      return "io_error";
    case ReportKind::fs_error:
      return "fs_error";
  }
  return "hung_task";
}

std::string_view to_word(ReportLock lock) {
  if (lock == ReportLock::mutex) return "mutex";
  return lock == ReportLock::semaphore ? "semaphore" : "rwsem";
}

std::vector<ReportGroup> grouped_by_title(const std::vector<LogReport>& reports) {
  std::vector<ReportGroup> groups;
  std::unordered_map<std::string, std::size_t> known;
  for (const LogReport& report : reports) {
    const auto key = fmt::format("{} {}", to_word(report.kind), report.title);
    const auto [at, fresh] = known.emplace(key, groups.size());
    if (fresh) groups.push_back({&report, 0});
    ++groups[at->second].count;
  }
  return groups;
}

}  // namespace stallproof
