// SPDX-License-Identifier: Apache-2.0
#include "harness/run/preflight/blocked_before.h"

#include <algorithm>

#include "harness/base/directory.h"
#include "harness/base/file.h"
#include "harness/probe/task_status.h"

namespace stallproof {
namespace {

constexpr Nanos kLookEvery = kSecond;
constexpr std::size_t kMostOfStatus = 16U << 10U;

}  // namespace

std::vector<BlockedTask> tasks_in_d(const std::string& proc_root) {
  std::vector<BlockedTask> found;
  for (const std::string& process : numbers_in(proc_root)) {
    const std::string tasks = proc_root + "/" + process + "/task";
    for (const std::string& task : numbers_in(tasks)) {
      const auto text = read_file(tasks + "/" + task + "/status", kMostOfStatus);
      const auto status = text ? parse_task_status(*text) : std::nullopt;
      if (status && status->state == 'D')
        found.push_back({status->tid, status->tgid, status->name, status->switches});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const BlockedTask& a, const BlockedTask& b) { return a.tid < b.tid; });
  return found;
}

std::vector<BlockedTask> not_run_since(const std::vector<BlockedTask>& before,
                                       const std::vector<BlockedTask>& now) {
  std::vector<BlockedTask> left;
  for (const BlockedTask& task : before) {
    const auto same =
        std::lower_bound(now.begin(), now.end(), task.tid,
                         [](const BlockedTask& each, pid_t tid) { return each.tid < tid; });
    if (same != now.end() && same->tid == task.tid && same->switches == task.switches)
      left.push_back(task);
  }
  return left;
}

std::vector<BlockedTask> tasks_blocked_for(Nanos span, const std::string& proc_root,
                                           const Wait& wait) {
  std::vector<BlockedTask> blocked = tasks_in_d(proc_root);
  for (Nanos waited = 0; !blocked.empty() && waited < span;) {
    const Nanos step = std::min(kLookEvery, span - waited);
    if (!wait(step)) return {};
    waited += step;
    blocked = not_run_since(blocked, tasks_in_d(proc_root));
  }
  return blocked;
}

}  // namespace stallproof
