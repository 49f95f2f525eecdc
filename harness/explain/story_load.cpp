// SPDX-License-Identifier: Apache-2.0
// Loads that stand still although no lock and no file system holds them up: frozen, stopped, ready
// without a CPU, or waiting for themselves.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/explain/stall_class.h"
#include "harness/explain/story.h"

namespace stallproof {
namespace {

constexpr std::size_t kNamesShown = 6;
// Of the time between two looks: less is what a busy machine does to everybody.
constexpr double kStarvedShare = 0.9;

// A server that merely stands there is nobody's load.
std::set<std::int32_t> servers_of(const Scene& scene) {
  std::set<std::int32_t> pids;
  for (const FuseConnection& connection : scene.snapshot->fuse)
    pids.insert(connection.server_tgids.begin(), connection.server_tgids.end());
  return pids;
}

std::string names_of(const Story& story) {
  std::vector<std::string> names;
  for (const StoryParty& party : story.parties)
    names.push_back(task_label(story.scene.tasks[party.task]));
  return join_names(names, kNamesShown);
}
std::string_view are(const Story& story) { return story.parties.size() == 1 ? "is" : "are"; }

std::string pids_of(const Story& story) {
  std::set<std::int32_t> pids;
  for (const StoryParty& party : story.parties)
    pids.insert(story.scene.tasks[party.task].row->tgid);
  return fmt::format("{}", fmt::join(pids, " "));
}

bool starved(const TaskRow& row) {
  if (!row.cpu || row.state != 'R' || row.cpu->span < kSettled) return false;
  const double share = kStarvedShare * static_cast<double>(row.cpu->span);
  if (static_cast<double>(row.cpu->waited) >= share) return true;
  // The scheduler does not count it as waiting while it is throttled.
  return row.cpu_throttled && static_cast<double>(row.cpu->span - row.cpu->ran) >= share;
}

bool halted_as(const SceneTask& task, bool frozen) {
  return task.seen && task.row->halt != Halt::none && (task.row->halt == Halt::frozen) == frozen;
}

void tell_frozen(Story& story) {
  story.stall_class = kFrozen;
  story.words = "load>freezer";
  story.telling = fmt::format(
      "{} {} frozen: by the freezer of a cgroup, or because the machine is about to suspend. "
      "Nothing is wrong with what they do.",
      names_of(story), are(story));
  story.advice = fmt::format(
      "Thaw the cgroup (/proc/{}/cgroup names it): echo 0 > cgroup.freeze, or with cgroup v1 echo "
      "THAWED > freezer.state.",
      story.scene.tasks[story.parties.front().task].row->tgid);
}

void tell_stopped(Story& story) {
  const auto traced = [&story](const StoryParty& party) {
    return story.scene.tasks[party.task].row->halt == Halt::traced;
  };
  const bool debugger = std::any_of(story.parties.begin(), story.parties.end(), traced);
  story.stall_class = kStopped;
  story.words = debugger ? "load>tracer" : "load>signal";
  story.telling =
      fmt::format("{} {} stopped by {}.", names_of(story), are(story),
                  debugger ? "a process that traces them" : "a signal (SIGSTOP, SIGTSTP, SIGTTIN)");
  story.advice = debugger
                     ? std::string{"See TracerPid in /proc/PID/status and let that process go on."}
                     : fmt::format("kill -CONT {}", pids_of(story));
}

struct Sleepers {
  std::vector<std::size_t> futex;
  std::vector<std::size_t> others;  // that run, wait for I/O, a timer or an event

  // Only one thread beside the main one does not wait: what the others wait for is most likely his.
  [[nodiscard]] std::size_t likely_holder(const Scene& scene) const {
    std::size_t found = kNone;
    for (const std::size_t t : others) {
      if (scene.tasks[t].row->tid == scene.tasks[t].row->tgid) continue;
      if (found != kNone) return kNone;
      found = t;
    }
    return found;
  }
};

std::map<std::int32_t, Sleepers> sleepers_by_process(const Story& story) {
  std::map<std::int32_t, Sleepers> found;
  const std::set<std::int32_t> servers = servers_of(story.scene);
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const SceneTask& task = story.scene.tasks[t];
    if (!task.seen || task.row->kernel_thread || servers.contains(task.row->tgid)) continue;
    Sleepers& process = found[task.row->tgid];
    if (task.row->state == 'S' && task.reading.top == KernelMeaning::futex &&
        task_settled(story.scene, task))
      process.futex.push_back(t);
    else
      process.others.push_back(t);
  }
  return found;
}

}  // namespace

bool tell_halted(Story& story) {
  const std::set<std::int32_t> servers = servers_of(story.scene);
  for (const bool frozen : {true, false}) {
    for (std::size_t t = 0; t < story.scene.tasks.size(); ++t)
      if (halted_as(story.scene.tasks[t], frozen) &&
          !servers.contains(story.scene.tasks[t].row->tgid))
        story.parties.push_back({t, Certainty::exact, "its state, as the scheduler has it"});
    if (story.parties.empty()) continue;
    if (frozen)
      tell_frozen(story);
    else
      tell_stopped(story);
    return true;
  }
  return false;
}

bool tell_starved(Story& story) {
  std::string quota;
  for (std::size_t t = 0; t < story.scene.tasks.size(); ++t) {
    const TaskRow& row = *story.scene.tasks[t].row;
    if (!story.scene.tasks[t].seen || row.kernel_thread || !starved(row)) continue;
    story.parties.push_back({t, Certainty::exact,
                             fmt::format("ready, and on a CPU for {:.1f} of {} ms",
                                         static_cast<double>(row.cpu->ran) / kMillisecond,
                                         row.cpu->span / kMillisecond)});
    if (quota.empty()) quota = row.cpu_limit;
  }
  if (story.parties.empty()) return false;
  story.stall_class = kCpuStarved;
  story.words = quota.empty() ? "load>cpu" : "load>cpu_quota";
  story.telling = fmt::format(
      "{} {} ready to run and got {} CPU: {}.", names_of(story), are(story), "almost no",
      quota.empty() ? std::string{"others have it, or rank higher"} : quota);
  story.advice = quota.empty()
                     ? std::string{"Look for what runs instead (top), and at priorities and CPU "
                                   "sets of the load."}
                     : std::string{"Raise the quota: cpu.max, or with cgroup v1 "
                                   "cpu.cfs_quota_us."};
  return true;
}

bool tell_userspace(Story& story) {
  for (const auto& [pid, process] : sleepers_by_process(story)) {
    // The main thread waits for the others to end: one alone waits for nobody in particular.
    if (process.futex.size() < 2 || process.futex.size() < process.others.size()) continue;
    for (const std::size_t t : process.futex)
      story.parties.push_back(
          {t, Certainty::inferred,
           fmt::format("sleeps in {}", story.scene.tasks[t].reading.wait_function)});
    if (story.holder == kNone) story.holder = process.likely_holder(story.scene);
  }
  if (story.parties.empty()) return false;
  story.stall_class = kUserspace;
  story.words = "load>futex";
  story.telling = fmt::format(
      "{} sleep in futex waits: for locks or events of their own program. The kernel holds nobody "
      "of them up.",
      names_of(story));
  if (story.holder != kNone)
    story.telling += fmt::format(" {} is the only other thread: what they wait for is likely his.",
                                 task_label(story.scene.tasks[story.holder]));
  story.advice = fmt::format(
      "Look at the program: a debugger or the language's own thread dump of pid {} says which lock "
      "it is.",
      pids_of(story));
  return true;
}

}  // namespace stallproof
