// SPDX-License-Identifier: Apache-2.0
#include "harness/run/snapshot_scope.h"

#include <algorithm>
#include <set>

namespace stallproof {
namespace {

using Tids = std::set<std::int32_t>;

bool concerns(const LockRow& lock, const Tids& tids, const std::vector<pid_t>& processes) {
  const auto ours = [&tids](const auto& party) { return tids.contains(party.tid); };
  return std::find(processes.begin(), processes.end(), lock.tgid) != processes.end() ||
         std::any_of(lock.waiters.begin(), lock.waiters.end(), ours) ||
         std::any_of(lock.holders.begin(), lock.holders.end(), ours);
}

bool concerns(const FuseConnection& connection, const Tids& tids,
              const std::vector<pid_t>& processes) {
  const auto served_by = [&processes](std::int32_t tgid) {
    return std::find(processes.begin(), processes.end(), tgid) != processes.end();
  };
  const auto asked_by = [&tids](const FuseRequest& request) {
    return tids.contains(request.client_tid);
  };
  return std::any_of(connection.server_tgids.begin(), connection.server_tgids.end(), served_by) ||
         std::any_of(connection.requests.begin(), connection.requests.end(), asked_by);
}

}  // namespace

void keep_only_processes(LockSnapshot& snapshot, const std::vector<pid_t>& processes) {
  Tids tids;
  for (const TaskRow& task : snapshot.tasks)
    if (std::find(processes.begin(), processes.end(), task.tgid) != processes.end())
      tids.insert(task.tid);
  std::erase_if(snapshot.locks,
                [&](const LockRow& lock) { return !concerns(lock, tids, processes); });
  std::erase_if(snapshot.fuse, [&](const FuseConnection& connection) {
    return !concerns(connection, tids, processes);
  });
  // A stranger who holds or waits for a lock of ours stays: he may be the reason.
  for (const LockRow& lock : snapshot.locks) {
    for (const LockWaiter& waiter : lock.waiters) tids.insert(waiter.tid);
    for (const LockHolder& holder : lock.holders) tids.insert(holder.tid);
  }
  std::erase_if(snapshot.tasks, [&tids](const TaskRow& task) { return !tids.contains(task.tid); });
}

}  // namespace stallproof
