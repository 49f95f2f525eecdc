// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/snapshot_scope.h"

#include <algorithm>
#include <map>
#include <set>

#include "harness/explain/kernel_functions.h"

namespace stallproof {
namespace {

constexpr pid_t kKernelThreads = 2;  // kthreadd; init is 1

using Tids = std::set<std::int32_t>;

bool concerns(const LockRow& lock, const Tids& tids, const std::vector<pid_t>& processes) {
  const auto ours = [&tids](const auto& party) { return tids.contains(party.tid); };
  return std::find(processes.begin(), processes.end(), lock.tgid) != processes.end() ||
         std::any_of(lock.waiters.begin(), lock.waiters.end(), ours) ||
         std::any_of(lock.holders.begin(), lock.holders.end(), ours);
}

// FUSE file systems are device 0:N, N being their connection.
bool waits_in(const TaskRow& task, std::uint32_t connection) {
  return task.file_wait && task.file_wait->device_major == 0 &&
         task.file_wait->device_minor == connection;
}

bool concerns(const FuseConnection& connection, const LockSnapshot& snapshot, const Tids& tids,
              const std::vector<pid_t>& processes) {
  const auto served_by = [&processes](std::int32_t tgid) {
    return std::find(processes.begin(), processes.end(), tgid) != processes.end();
  };
  const auto asked_by = [&tids](const FuseRequest& request) {
    return tids.contains(request.client_tid);
  };
  return std::any_of(connection.server_tgids.begin(), connection.server_tgids.end(), served_by) ||
         std::any_of(connection.requests.begin(), connection.requests.end(), asked_by) ||
         std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&](const TaskRow& task) {
           return tids.contains(task.tid) && waits_in(task, connection.number);
         });
}

bool has(const TaskRow& task, KernelMeaning meaning) {
  return std::any_of(task.stack.begin(), task.stack.end(), [meaning](const StackFrame& frame) {
    return kernel_meaning(frame.function) == meaning;
  });
}

// A task whose stack could not be read may wait for anything.
bool may_wait_for_a_device(const TaskRow& task) {
  return task.state == 'D' || task.stack.empty() || has(task, KernelMeaning::block_io) ||
         has(task, KernelMeaning::async_io) || has(task, KernelMeaning::folio_wait) ||
         has(task, KernelMeaning::journal_wait) || has(task, KernelMeaning::journal_commit);
}

// Workers of loop devices that have I/O in flight, where one of `tids` may wait for a device: which
// one is not known.
void add_loop_workers(const LockSnapshot& snapshot, const Tids& tids, std::set<pid_t>& found) {
  const bool loops = std::any_of(
      snapshot.devices.begin(), snapshot.devices.end(),
      [](const DeviceRow& device) { return device.unchanged_for && !device.backing_file.empty(); });
  const bool waits =
      std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&tids](const TaskRow& task) {
        return tids.contains(task.tid) && may_wait_for_a_device(task);
      });
  if (!loops || !waits) return;
  for (const TaskRow& task : snapshot.tasks)
    if (task.kernel_thread && has(task, KernelMeaning::loop_worker)) found.insert(task.tgid);
}

// Threads that commit a journal, where one of `tids` waits for a commit.
void add_journal_threads(const LockSnapshot& snapshot, const Tids& tids, std::set<pid_t>& found) {
  const bool waits =
      std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(), [&tids](const TaskRow& task) {
        return tids.contains(task.tid) && has(task, KernelMeaning::journal_wait);
      });
  for (const TaskRow& task : snapshot.tasks)
    if (waits && task.kernel_thread && has(task, KernelMeaning::journal_commit))
      found.insert(task.tgid);
}

Tids threads_of(const LockSnapshot& snapshot, const std::vector<pid_t>& processes) {
  Tids tids;
  for (const TaskRow& task : snapshot.tasks)
    if (std::find(processes.begin(), processes.end(), task.tgid) != processes.end())
      tids.insert(task.tid);
  return tids;
}

// Returns what `processes` wait for at first hand.
std::set<pid_t> waited_for_by(const LockSnapshot& snapshot, const std::vector<pid_t>& processes) {
  const Tids tids = threads_of(snapshot, processes);
  const auto ours = [&tids](std::int32_t tid) { return tids.contains(tid); };
  std::map<std::int32_t, pid_t> process_of;
  for (const TaskRow& task : snapshot.tasks) process_of[task.tid] = task.tgid;
  std::set<pid_t> found;
  for (const FuseConnection& connection : snapshot.fuse)
    if (concerns(connection, snapshot, tids, {}))
      found.insert(connection.server_tgids.begin(), connection.server_tgids.end());
  add_loop_workers(snapshot, tids, found);
  add_journal_threads(snapshot, tids, found);
  // Children that stand in the lens are blocked or wait for a file system: their parent's business.
  for (const TaskRow& task : snapshot.tasks)
    if (task.parent_tgid > kKernelThreads &&
        std::find(processes.begin(), processes.end(), task.parent_tgid) != processes.end())
      found.insert(task.tgid);
  for (const LockRow& lock : snapshot.locks) {
    if (std::none_of(lock.waiters.begin(), lock.waiters.end(),
                     [&ours](const LockWaiter& each) { return ours(each.tid); }))
      continue;
    if (lock.tgid != 0) found.insert(lock.tgid);
    for (const LockHolder& holder : lock.holders)
      if (const auto known = process_of.find(holder.tid); known != process_of.end())
        found.insert(known->second);
  }
  return found;
}

}  // namespace

std::vector<pid_t> with_those_waited_for(const LockSnapshot& snapshot,
                                         std::vector<pid_t> processes) {
  while (true) {
    const std::size_t before = processes.size();
    for (const pid_t pid : waited_for_by(snapshot, processes))
      if (std::find(processes.begin(), processes.end(), pid) == processes.end())
        processes.push_back(pid);
    if (processes.size() == before) return processes;
  }
}

void keep_only_processes(LockSnapshot& snapshot, const std::vector<pid_t>& processes) {
  Tids tids = threads_of(snapshot, processes);
  std::erase_if(snapshot.locks,
                [&](const LockRow& lock) { return !concerns(lock, tids, processes); });
  std::erase_if(snapshot.fuse, [&](const FuseConnection& connection) {
    return !concerns(connection, snapshot, tids, processes);
  });
  // A stranger who holds or waits for a lock of ours stays: he may be the reason.
  for (const LockRow& lock : snapshot.locks) {
    for (const LockWaiter& waiter : lock.waiters) tids.insert(waiter.tid);
    for (const LockHolder& holder : lock.holders) tids.insert(holder.tid);
  }
  std::erase_if(snapshot.tasks, [&tids](const TaskRow& task) { return !tids.contains(task.tid); });
}

}  // namespace stallproof
