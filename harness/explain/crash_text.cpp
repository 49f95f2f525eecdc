// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/crash_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "harness/explain/crash_line.h"
#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::size_t kProblemsKept = 200;

struct Entry {
  std::uint64_t address = 0;
  std::size_t line = 0;
  std::optional<std::uint64_t> task;
  std::optional<LockMode> mode;
  bool noise_type = false;  // a number that is no type
};

struct StackRange {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

class Parser {
 public:
  CrashText parse(std::string_view text) {
    out_.snapshot.lens = LensKind::crash_text;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = std::min(text.find('\n', begin), text.size());
      ++line_;
      take(trimmed(text.substr(begin, end - begin)));
      begin = end + 1;
    }
    end_task();
    end_list();
    out_.complete = out_.problems.empty() && understood_;
    if (!understood_) problem("nothing here is output of bt or of list rwsem_waiter");
    out_.snapshot.blind_spots.emplace_back(
        "crash text names no task states, no address spaces and no readers that hold a lock");
    tell_list_starts();
    return std::move(out_);
  }

 private:
  enum class Context { none, task, list, foreign };

  void take(std::string_view line) {
    if (line.empty()) return;
    if (line.starts_with("//")) return note(line);
    if (line.substr(0, 4) == "PID:") return start_task(line);
    if (const auto command = parse_prompt(line); command && line.front() != '#')
      return start_command(*command);
    if (context_ == Context::foreign && !bare_command(line)) return;
    if (line.front() == '#') return frame(line);
    if (bare_command(line)) return start_command(line);
    if (const auto address = parse_hex(line); address && line.size() >= 8) return entry(*address);
    if (const auto field = parse_field_line(line); field && context_ == Context::list)
      return list_field(*field);
    if (context_ == Context::list && list_ornament(line)) return;
    if (line == "(active)" && task_) active_ = true;
    if (task_ && is_ornament(line)) return;
    problem(fmt::format("not understood: '{}'", excerpt(line)));
  }

  void note(std::string_view line) {
    if (const auto process = parse_process_note(line); process && task_) task_->tgid = *process;
    const auto lock = parse_lock_note(line);
    if (!lock) return;
    end_list();
    lock_note_ = lock;
  }

  static bool bare_command(std::string_view line) {
    return line == "bt" || line == "foreach bt" || line.substr(0, 3) == "bt " ||
           line.substr(0, 8) == "foreach " || line.starts_with("list rwsem_waiter.") ||
           line.starts_with("list mutex_waiter.");
  }

  static bool list_ornament(std::string_view line) {
    return line == "}" || line == "}," || line.substr(0, 6) == "struct" ||
           line.substr(0, 4) == "list";
  }

  void start_command(std::string_view command) {
    end_task();
    end_list();
    const std::string_view word = command.substr(0, command.find(' '));
    context_ = Context::none;
    if (word == "list" && command.find("rwsem_waiter") != std::string_view::npos) {
      context_ = Context::list;
    } else if (!word.empty() && word != "bt" && word != "foreach" && word != "quit" &&
               word != "exit" && word != "q" && word != "set") {
      context_ = Context::foreign;
      problem(fmt::format("output of '{}' is not read", excerpt(command)));
    }
  }

  void start_task(std::string_view line) {
    end_task();
    end_list();
    context_ = Context::none;
    auto head = parse_task_line(line);
    if (!head) {
      skip_frames_ = true;
      return problem(fmt::format("broken task line: '{}'", excerpt(line)));
    }
    skip_frames_ = false;
    context_ = Context::task;
    understood_ = true;
    task_.emplace();
    task_->tid = head->pid;
    task_->task_address = head->task;
    task_->comm = std::move(head->comm);
    task_->source_line = line_;
    stack_ = {};
    active_ = false;
    next_frame_ = 0;
  }

  void frame(std::string_view line) {
    auto parsed = parse_frame_line(line);
    if (!task_) {
      if (!skip_frames_) problem("stack frame without a task line before it");
      skip_frames_ = true;
      return;
    }
    if (!parsed) return problem(fmt::format("broken stack frame: '{}'", excerpt(line)));
    if (parsed->number != next_frame_)
      problem(fmt::format("frame #{} where #{} was expected: part of the stack of {} {} is missing",
                          parsed->number, next_frame_, task_->comm, task_->tid));
    next_frame_ = parsed->number + 1;
    if (stack_.low == 0) stack_.low = parsed->stack_address;
    stack_.high = parsed->stack_address;
    task_->stack.push_back(std::move(parsed->frame));
  }

  // A second bt of the same task adds nothing, unless the first was cut short.
  void end_task() {
    if (!task_) return;
    if (active_) task_->state = 'R';
    if (task_->stack.empty() && !active_) {
      task_->stack_problem = "no frames in the text";
      problem(fmt::format("no stack follows the line of {} {}", excerpt(task_->comm), task_->tid));
    }
    auto& tasks = out_.snapshot.tasks;
    const auto known = places_.emplace(
        task_->tid == 0 ? -static_cast<std::int64_t>(task_->source_line) : task_->tid,
        tasks.size());
    if (known.second) {
      tasks.push_back(std::move(*task_));
      stacks_.push_back(stack_);
    } else if (tasks[known.first->second].stack.size() < task_->stack.size()) {
      tasks[known.first->second] = std::move(*task_);
      stacks_[known.first->second] = stack_;
    }
    task_.reset();
  }

  void entry(std::uint64_t address) {
    if (context_ != Context::list) {
      end_task();
      context_ = Context::list;
    }
    understood_ = true;
    entries_.emplace_back();
    entries_.back().address = address;
    entries_.back().line = line_;
  }

  void list_field(const FieldLine& field) {
    if (field.name == "next" || field.name == "prev" || field.name == "list" ||
        field.name == "timeout" || field.name == "handoff_set" || field.name == "last_rowner")
      return;
    if (entries_.empty())
      return problem("field of a waiter without the waiter's address before it");
    Entry& entry = entries_.back();
    if (field.name == "task") {
      entry.task = parse_hex(field.value);
      if (!entry.task) problem(fmt::format("broken task address: '{}'", excerpt(field.value)));
    } else if (field.name == "type") {
      // enum rwsem_waiter_type: write is 0, read is 1 (2.6 to 6.18).
      if (field.value == "RWSEM_WAITING_FOR_WRITE" || field.value == "0")
        entry.mode = LockMode::write;
      if (field.value == "RWSEM_WAITING_FOR_READ" || field.value == "1")
        entry.mode = LockMode::read;
      entry.noise_type = !entry.mode && is_number(field.value);
    } else {
      problem(fmt::format("unknown field '{}' of a waiter", excerpt(field.name)));
    }
  }

  // The list's head lies in the lock itself and is printed as if it were a waiter: its type is a
  // meaningless number, but it tells where the queue begins.
  void rotate_to_head() {
    const auto noise = [](const Entry& entry) { return entry.noise_type; };
    const auto head = std::find_if(entries_.begin(), entries_.end(), noise);
    if (std::count_if(entries_.begin(), entries_.end(), noise) != 1) return;
    out_.snapshot.blind_spots.push_back(fmt::format(
        "entry {:#x} (line {}) is no waiter: taken for the head of the list, inside the lock",
        head->address, head->line));
    std::rotate(entries_.begin(), head + 1, entries_.end());
    entries_.pop_back();
  }

  void end_list() {
    if (entries_.empty()) return;
    const std::uint64_t first = entries_.front().address;
    rotate_to_head();
    LockRow row = noted_lock();
    row.queue_known = true;
    for (const Entry& entry : entries_) {
      if (!entry.task || !entry.mode) {
        problem_at(entry.line, fmt::format("waiter {:#x} has no {}", entry.address,
                                           entry.task ? "readable type" : "task"));
        row.queue_truncated = true;
        continue;
      }
      row.waiters.push_back(
          {.tid = 0, .task_address = *entry.task, .mode = *entry.mode, .source_line = entry.line});
    }
    entries_.clear();
    const bool seen = std::find(starts_.begin(), starts_.end(), first) != starts_.end();
    if (seen || row.waiters.empty()) return;
    if (row.address == 0) starts_.push_back(first);
    out_.snapshot.locks.push_back(std::move(row));
  }

  LockRow noted_lock() {
    LockRow row;
    row.kind = LockKind::rwsem;
    const auto note = std::exchange(lock_note_, std::nullopt);
    if (!note) return row;
    row.kind = note->kind;
    row.address = note->address;
    row.tgid = note->tgid;
    row.count = note->count;
    if (!note->count) return row;
    // Since 5.3: bit 0 a writer, bit 63 set aside, readers from bit 8 on.
    row.writer_holds = (*note->count & 1U) != 0;
    row.reader_count = *row.writer_holds ? 0 : static_cast<std::uint32_t>(*note->count << 1U >> 9U);
    return row;
  }

  void problem(std::string what) { problem_at(line_, std::move(what)); }
  void problem_at(std::size_t line, std::string what) {
    if (out_.problems.size() < kProblemsKept) {
      out_.problems.push_back({.line = line, .what = std::move(what)});
    } else if (out_.problems.size() == kProblemsKept) {
      out_.problems.push_back({.line = line, .what = "more problems follow, not listed"});
    }
  }

  // What a first entry on a waiter's own stack proves about the lock.
  void tell_list_starts() {
    for (const std::uint64_t start : starts_) {
      std::string where;
      for (std::size_t i = 0; i < stacks_.size() && where.empty(); ++i) {
        const TaskRow& task = out_.snapshot.tasks[i];
        if (stacks_[i].low != 0 && start >= stacks_[i].low && start <= stacks_[i].high)
          where = fmt::format(" on the stack of {} {} ({:#x} to {:#x}), which is", task.comm,
                              task.tid, stacks_[i].low, stacks_[i].high);
      }
      out_.snapshot.blind_spots.push_back(fmt::format(
          "the lock's address is unknown: the list begins at {:#x}{}{} a waiter and not the lock",
          start, where, where.empty() ? "," : ""));
    }
  }

  CrashText out_;
  std::size_t line_ = 0;
  bool understood_ = false;
  Context context_ = Context::none;
  std::optional<TaskRow> task_;
  bool active_ = false;
  bool skip_frames_ = false;
  unsigned next_frame_ = 0;
  StackRange stack_;
  std::vector<StackRange> stacks_;
  std::unordered_map<std::int64_t, std::size_t> places_;
  std::vector<Entry> entries_;
  std::optional<LockNote> lock_note_;  // of the list that comes next
  std::vector<std::uint64_t> starts_;
};

}  // namespace

CrashText parse_crash_text(std::string_view text) {
  Parser parser;
  return parser.parse(text);
}

std::string_view crash_script() {
  return "# In crash, with the memory image of the stalled node loaded:\n"
         "set scroll off\n"
         "# 1. every stack: who sleeps in a page fault, in mprotect, in the service\n"
         "foreach bt > stacks.txt\n"
         "# 2. the queue of the lock. WAITER is the address inside the stack of a task that waits "
         "in\n"
         "#    rwsem_down_write_failed or rwsem_down_write_slowpath (bt -f PID shows its words: "
         "the\n"
         "#    one whose 'task' field below is that task); the list must start there.\n"
         "list rwsem_waiter.list -s rwsem_waiter.task,type -h WAITER > queue.txt\n"
         "# 3. then: stallproof explain --crash-text stacks.txt queue.txt\n";
}

}  // namespace stallproof
