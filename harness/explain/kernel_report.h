// SPDX-License-Identifier: Apache-2.0
// What a kernel log reports of stalls: hung tasks, lockups, RCU and workqueue stalls, lock-order
// warnings, blocked tasks of sysrq, errors of block devices and file systems. Kernels 2.6.18
// to 7.x. Pure, total and linear in the text: any bytes are accepted; a report whose header is cut
// is a problem with its line, and the rest is used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/explain/crash_text.h"
#include "harness/probe/lock_snapshot.h"

namespace stallproof {

enum class ReportKind {
  hung_task,
  soft_lockup,
  hard_lockup,
  rcu_stall,
  workqueue_lockup,
  lockdep,
  sysrq_blocked,
  io_error,
  fs_error,
};

enum class ReportLock { mutex, semaphore, rwsem };

// "INFO: task A:1 <writer> blocked on an rw-semaphore likely owned by task B:2 <reader>"
struct ReportOwner {
  ReportLock lock = ReportLock::mutex;
  std::optional<LockMode> waits;  // as what the report's task waits, where told
  std::string task;               // empty: the kernel did not find the owner
  std::int32_t pid = 0;
  std::optional<LockMode> holds;
  std::size_t line = 0;
};

struct LogReport {
  ReportKind kind = ReportKind::hung_task;
  std::string task;                     // empty where the report names none
  std::int32_t pid = -1;                // -1: not told; 0 is an idle CPU
  char state = '?';                     // of the task, as in LockSnapshot
  std::optional<std::int64_t> seconds;  // for how long, as the kernel says; jiffies are not seconds
  // The innermost function that is not a way to sleep, to take a lock or to wait; without the
  // compiler's suffix. Empty without a stack.
  std::string function;
  std::string title;     // same for the same trouble: no pids, CPUs, addresses, modules
  std::size_t line = 0;  // of the header, from 1
  std::vector<ReportOwner> owners;
  bool stalls = true;  // somebody waits; false for an error that only failed something
};

struct KernelReports {
  std::vector<LogReport> reports;  // by line
  std::vector<TextProblem> problems;
  bool is_kernel_log = false;  // there was a report, or lines that logging of a kernel had stamped
};

KernelReports parse_kernel_reports(std::string_view text);

std::string_view to_word(ReportKind kind);  // "hung_task"
std::string_view to_word(ReportLock lock);  // "rwsem"

// Reports of one title, in the order of their first lines.
struct ReportGroup {
  const LogReport* first = nullptr;
  std::size_t count = 0;
};
std::vector<ReportGroup> grouped_by_title(const std::vector<LogReport>& reports);

}  // namespace stallproof
