// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/kernel_log.h"

#include <fmt/format.h>

#include <unordered_map>

#include "harness/explain/log/blocker_line.h"
#include "harness/explain/log/log_line.h"
#include "harness/explain/log/report_stack.h"
#include "harness/explain/log/stack_line.h"
#include "harness/explain/log/task_line.h"

namespace stallproof {
namespace {

constexpr std::size_t kNone = ~std::size_t{0};
constexpr int kForeignLines = 20;  // of others, within the dump of one task

class Parser {
 public:
  CrashText parse(std::string_view text) {
    out_.snapshot.lens = LensKind::crash_text;
    each_log_line(text, [this](const LogLine& line) {
      if (!line.by_process) take(line, strands_[line.caller]);
    });
    out_.complete = !out_.snapshot.tasks.empty() && out_.problems.empty();
    out_.snapshot.blind_spots.emplace_back(
        "a kernel log shows blocked tasks and their stacks; who holds a lock, its queue and "
        "requests of file systems it does not");
    return std::move(out_);
  }

 private:
  // The dump that one printer of lines is at.
  struct Strand {
    std::size_t task = kNone;
    int foreign = 0;
  };

  void take(const LogLine& line, Strand& strand) {
    if (auto task = task_line(line.text)) return begin(std::move(*task), line.number, strand);
    if (is_like_task_line(line.text))
      out_.problems.push_back({line.number, "a task line that is cut or of an unknown form"});
    if (take_owner(line)) return;
    if (strand.task == kNone) return;
    if (const auto frame = stack_line(line.text)) {
      add_frame(*frame, out_.snapshot.tasks[strand.task].stack);
    } else if (!belongs_to_stack(line.text)) {
      ++strand.foreign;
    }
    if (strand.foreign > kForeignLines || line.text.starts_with("</TASK>") ||
        cpu_of_dump(line.text))
      strand.task = kNone;
  }

  static void add_frame(const StackLine& line, std::vector<StackFrame>& stack) {
    if (line.guessed) return;
    if (!line.callee.empty() && (stack.empty() || stack.back().function != line.callee))
      stack.push_back({.function = line.callee, .module = {}});
    stack.push_back(line.frame);
  }

  void begin(TaskRow task, std::size_t line, Strand& strand) {
    task.source_line = line;
    auto& tasks = out_.snapshot.tasks;
    const auto [known, fresh] =
        tasks_.emplace(fmt::format("{} {}", task.tid, task.comm), tasks.size());
    strand = {known->second, 0};
    if (fresh)
      tasks.push_back(std::move(task));
    else
      tasks[known->second] = std::move(task);
  }

  bool take_owner(const LogLine& line) {
    const auto blocker = blocker_line(line.text);
    if (!blocker) return false;
    const ReportOwner& owner = blocker->owner;
    // A semaphore has no owner: who took it last need not be who gives it back. A mutex handed to
    // its waiter names the waiter itself until that one runs: no circle of one.
    if (owner.pid == 0 || owner.lock == ReportLock::semaphore || owner.pid == blocker->waiter_pid)
      return true;
    const bool mutex = owner.lock == ReportLock::mutex;
    LockRow lock{.kind = mutex ? LockKind::mutex : LockKind::rwsem};
    lock.waiters.push_back({.tid = blocker->waiter_pid,
                            .mode = mutex ? LockMode::write : owner.waits.value_or(LockMode::read),
                            .source_line = line.number});
    lock.holders.push_back(
        {.tid = owner.pid,
         .mode = mutex ? LockMode::write : owner.holds.value_or(LockMode::read),
         .certainty = Certainty::likely,
         .evidence = fmt::format("line {}: likely owned, says the kernel", line.number)});
    add_lock(std::move(lock), blocker->waiter_pid);
    return true;
  }

  // A task waits for one lock at a time: what was said last counts.
  void add_lock(LockRow lock, std::int32_t waiter) {
    auto& locks = out_.snapshot.locks;
    const auto [known, fresh] = locks_.emplace(waiter, locks.size());
    if (fresh)
      locks.push_back(std::move(lock));
    else
      locks[known->second] = std::move(lock);
  }

  CrashText out_;
  std::unordered_map<std::uint64_t, Strand> strands_;
  std::unordered_map<std::string, std::size_t> tasks_;
  std::unordered_map<std::int32_t, std::size_t> locks_;
};

}  // namespace

CrashText parse_kernel_log(std::string_view text) { return Parser().parse(text); }

}  // namespace stallproof
