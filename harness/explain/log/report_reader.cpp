// SPDX-License-Identifier: Apache-2.0
// Puts the lines of each report together. Where the kernel tells who printed a line, the reports of
// different CPUs are kept apart by that; else a report goes on until the next header, or until too
// many lines came that are none of its own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

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
constexpr int kForeignLines = 60;      // after which a report is over
constexpr std::size_t kHintLines = 2;  // between the hint and the dump of a hung task
constexpr std::string_view kHungHint = "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs";
constexpr std::size_t kConsequence = 3000;  // lines in which a panic belongs to its report

// What one printer of lines is at.
struct Strand {
  std::vector<std::size_t> open;  // drafts that its lines belong to
  int foreign = 0;                // lines since, that did not
  bool sysrq = false;             // tasks that follow were asked for by sysrq
  std::size_t hint_line = 0;      // of the second line of a hung task's report
  std::string unfinished;         // a header that may go on in the next line
  std::size_t unfinished_line = 0;
};

std::optional<ReportDraft> begin_report(std::string_view text) {
  for (const ReportFamily& family : report_families())
    if (auto draft = family.begin(text)) return draft;
  return std::nullopt;
}

class ReportReader {
 public:
  KernelReports read(std::string_view text) {
    each_log_line(text, [this](const LogLine& line) { take(line); });
    for (auto& [caller, strand] : strands_)
      if (!strand.unfinished.empty()) finish_header({}, strand);
    for (ReportDraft& draft : drafts_) {
      conclude(draft);
      out_.reports.push_back(std::move(draft.report));
    }
    std::stable_sort(out_.reports.begin(), out_.reports.end(),
                     [](const LogReport& a, const LogReport& b) { return a.line < b.line; });
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
    if (take_sysrq(line, strand) || take_blocker(line, strand) || take_header(line, strand)) return;
    if (line.text.starts_with(kHungHint)) strand.hint_line = line.number;
    if (const auto task = task_line(line.text); task && is_orphan(*task, strand))
      return dump_of_task(*task, line, strand);
    feed(line, strand);
  }

  // Asked for by sysrq, or by something that the log no longer shows.
  bool is_orphan(const TaskRow& task, const Strand& strand) const {
    if (strand.sysrq) return true;
    return task.state == 'D' && strand.open.empty() && hung_by_pid_.count(task.tid) == 0 &&
           owners_.count(task.tid) == 0;
  }

  // A comm may hold a newline; mail and terminals break long lines.
  bool finish_header(const LogLine& line, Strand& strand) {
    if (strand.unfinished.empty()) return false;
    const std::string start = std::move(strand.unfinished);
    strand.unfinished.clear();
    if (is_blocker(start)) return finish_blocker(start, line, strand.unfinished_line);
    std::optional<ReportDraft> draft;
    if (!line.text.starts_with("INFO: ")) {
      draft = begin_report(fmt::format("{}\n{}", start, line.text));
      if (!is_whole(draft) && !line.stamped)
        draft = begin_report(fmt::format("{} {}", start, line.text));
    }
    const bool whole = is_whole(draft);
    if (!whole) draft = begin_report(start);
    if (draft) begin(std::move(*draft), strand.unfinished_line, strand);
    return whole;
  }

  static bool is_whole(const std::optional<ReportDraft>& draft) {
    return draft && draft->problem.empty();
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

  void dump_of_task(const TaskRow& task, const LogLine& line, Strand& strand) {
    strand.open.clear();
    if (task.state != 'D') return;
    ReportDraft draft = sysrq_task(task);
    draft.report.line = line.number;
    if (!strand.sysrq && strand.hint_line != 0 && line.number - strand.hint_line <= kHintLines) {
      draft.report.kind = ReportKind::hung_task;
      draft.about = "task hung";
      hung_by_pid_[task.tid] = drafts_.size();
    } else {
      strand.sysrq = true;
    }
    strand.open = {drafts_.size()};
    strand.foreign = 0;
    drafts_.push_back(std::move(draft));
  }

  static bool is_blocker(std::string_view text) {
    return text.starts_with("INFO: task ") && text.find(" blocked on a") != std::string_view::npos;
  }

  bool take_blocker(const LogLine& line, Strand& strand) {
    if (!is_blocker(line.text)) return false;
    if (auto blocker = blocker_line(line.text)) {
      add_blocker(std::move(*blocker), line.number);
    } else {
      strand.unfinished = line.text;
      strand.unfinished_line = line.number;
    }
    return true;
  }

  bool finish_blocker(const std::string& start, const LogLine& line, std::size_t number) {
    if (!line.stamped) {
      if (auto blocker = blocker_line(fmt::format("{} {}", start, line.text))) {
        add_blocker(std::move(*blocker), number);
        return true;
      }
    }
    problem(number, "a line about the owner of a lock is cut");
    return false;
  }

  void add_blocker(Blocker blocker, std::size_t line) {
    blocker.owner.line = line;
    owners_.insert(blocker.owner.pid);
    const auto known = hung_by_pid_.find(blocker.waiter_pid);
    if (known != hung_by_pid_.end()) {
      drafts_[known->second].report.owners.push_back(std::move(blocker.owner));
      return;
    }
    ReportDraft draft;
    draft.about = "task hung";
    draft.report.state = 'D';
    draft.report.task = std::move(blocker.waiter);
    draft.report.pid = blocker.waiter_pid;
    draft.report.line = line;
    draft.report.owners.push_back(std::move(blocker.owner));
    problem(line, "the owner of a lock is told, but the header of that report is cut");
    hung_by_pid_[draft.report.pid] = drafts_.size();
    drafts_.push_back(std::move(draft));
  }

  bool take_header(const LogLine& line, Strand& strand) {
    auto draft = begin_report(line.text);
    if (!draft) return false;
    if (draft->problem.empty()) {
      begin(std::move(*draft), line.number, strand);
    } else {
      strand.unfinished = line.text;
      strand.unfinished_line = line.number;
    }
    return true;
  }

  void begin(ReportDraft draft, std::size_t line, Strand& strand) {
    if (!draft.problem.empty()) problem(line, draft.problem);
    if (draft.unusable) return;
    if (draft.only_first && is_consequence(draft.report.kind, line)) {
      end_stacks(draft, strand);
      return;
    }
    if (!is_told_by_others(draft, line, strand)) add(std::move(draft), line, strand);
  }

  // "CPU 42 Hard LOCKUP": what another CPU said of it before.
  bool is_told_by_others(const ReportDraft& draft, std::size_t line, Strand& strand) {
    if (draft.report.kind != ReportKind::hard_lockup || draft.of_others || draft.cpus.empty())
      return false;
    const std::size_t index = waiting_for(draft.cpus.front(), line);
    if (index == kNone || !drafts_[index].of_others) return false;
    strand.open = {index};
    strand.foreign = 0;
    return true;
  }

  bool is_consequence(ReportKind kind, std::size_t line) const {
    const auto last = last_of_kind_.find(kind);
    return last != last_of_kind_.end() && line - last->second < kConsequence;
  }

  // What follows `draft` is dumped because of it, not because of the reports that are open.
  void end_stacks(const ReportDraft& draft, Strand& strand) {
    for (const std::size_t index : strand.open) {
      ReportDraft& open = drafts_[index];
      open.stack_done = open.stack_done || !open.frames.empty();
      if (draft.of_victim && open.report.kind == draft.report.kind) open.elsewhere = true;
    }
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
    note_cpus(index, 0);
  }

  void note_cpus(std::size_t index, std::size_t known) {
    const auto& cpus = drafts_[index].cpus;
    for (std::size_t i = known; i < cpus.size(); ++i) waiting_[cpus[i]] = index;
  }

  bool waits(std::size_t index, std::size_t line) const {
    return index != kNone && !drafts_[index].stack_done && drafts_[index].frames.empty() &&
           line - drafts_[index].report.line <= kConsequence;
  }

  // The report that waits for the stack of this CPU.
  std::size_t waiting_for(int cpu, std::size_t line) const {
    const auto known = waiting_.find(cpu);
    return known != waiting_.end() && waits(known->second, line) ? known->second : kNone;
  }

  // The stack of a CPU comes from that CPU, under its own name, or within what others say.
  void adopt(const LogLine& line, Strand& strand) {
    const auto cpu = cpu_of_dump(line.text);
    if (!cpu) return;
    std::size_t index = waiting_for(*cpu, line.number);
    if (index == kNone && is_idle(strand) && waits(wants_cpu_, line.number)) index = wants_cpu_;
    if (index == kNone ||
        std::find(strand.open.begin(), strand.open.end(), index) != strand.open.end())
      return;
    strand.open = {index};
    strand.foreign = 0;
  }

  bool is_idle(const Strand& strand) const {
    return std::all_of(strand.open.begin(), strand.open.end(),
                       [this](std::size_t index) { return drafts_[index].stack_done; });
  }

  void feed(const LogLine& line, Strand& strand) {
    adopt(line, strand);
    if (strand.open.empty()) return;
    bool used = false;
    for (const std::size_t index : strand.open) {
      const std::size_t known = drafts_[index].cpus.size();
      used = feed_report(line.text, drafts_[index]) || used;
      note_cpus(index, known);
    }
    if (used) pools_told_ = true;
    strand.foreign = used ? 0 : strand.foreign + 1;
    if (strand.foreign > kForeignLines) strand.open.clear();
  }

  KernelReports out_;
  std::vector<ReportDraft> drafts_;
  std::unordered_map<std::uint64_t, Strand> strands_;
  std::unordered_map<std::int32_t, std::size_t> hung_by_pid_;
  std::unordered_set<std::int32_t> owners_;
  std::unordered_map<int, std::size_t> waiting_;
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
