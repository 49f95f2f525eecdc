// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/capture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "harness/base/bounded.h"
#include "harness/base/units.h"
#include "harness/capture/capture_files.h"
#include "harness/capture/live_look.h"
#include "harness/capture/sources.h"
#include "harness/explain/explain.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/explain/snapshot_scope.h"
#include "harness/probe/fuse_connections.h"
#include "harness/probe/mountinfo.h"
#include "harness/probe/process_tree.h"
#include "harness/probe/result_place.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

constexpr Nanos kMountUsersLimit = 700 * kMillisecond;
constexpr Nanos kWriteAtLeast = kSecond;

struct Target {
  std::vector<pid_t> processes;
  std::optional<std::uint32_t> connection;  // of a FUSE mount
  std::string mount_point, words, problem;
  bool named = false;
};

Result<std::vector<MountEntry>> mounts_now() {
  const auto text = read_file_bounded("/proc/self/mountinfo", Deadline::in(kSecond));
  if (!text) return Failure(text.error());
  return parse_mountinfo(*text);
}

Result<Target> find_process(int pid) {
  const pid_t tgid = thread_group_of(pid);
  if (tgid <= 0)
    return fail(
        fmt::format("--pid {}: no such process (numbers are those of this pid namespace)", pid));
  return Target{.processes = {tgid}, .words = fmt::format("--pid {}", tgid), .named = true};
}

// By the text of mountinfo alone: asking the path itself may never return.
Result<Target> find_mount(const std::string& path, const std::vector<MountEntry>& mounts) {
  std::string point = std::filesystem::path(path).lexically_normal().string();
  while (point.size() > 1 && point.back() == '/') point.pop_back();
  const MountEntry* found = nullptr;
  for (const MountEntry& mount : mounts)
    if (mount.mount_point == point) found = &mount;
  if (found == nullptr)
    return fail(fmt::format(
        "--mount {}: not a mount point of this mount namespace (see /proc/self/mountinfo)", path));
  ProcessList users = users_of_mount(found->id, kMountUsersLimit);
  Target target{.processes = std::move(users.tgids),
                .mount_point = point,
                .words = "--mount " + point,
                .problem = users.problem,
                .named = true};
  if (is_fuse(*found)) target.connection = found->device_minor;
  return target;
}

Result<Target> find_target(const CaptureOptions& options, const std::vector<MountEntry>& mounts) {
  if (options.pid && !options.mount.empty()) return fail("capture: give either --pid or --mount");
  if (options.pid) return find_process(*options.pid);
  if (!options.mount.empty()) return find_mount(options.mount, mounts);
  return Target{};
}

void narrow(LiveLook& look, const Target& target) {
  LockSnapshot& snapshot = look.snapshot;
  if (!target.named) return;
  if (look.lens == "proc") {
    snapshot.blind_spots.emplace_back(
        "which of the other blocked tasks these wait for: without BPF all of them are shown");
    return;
  }
  std::vector<pid_t> processes = target.processes;
  for (const FuseConnection& each : snapshot.fuse) {
    if (target.connection != each.number) continue;
    processes.insert(processes.end(), each.server_tgids.begin(), each.server_tgids.end());
    // Who waits for it need not have a file of it open: a mapping is enough.
    for (const FuseRequest& request : each.requests)
      for (const TaskRow& task : snapshot.tasks)
        if (task.tid == request.client_tid) processes.push_back(task.tgid);
  }
  keep_only_processes(snapshot, with_those_waited_for(snapshot, processes));
}

std::vector<std::int32_t> concerned(const Explanation& explanation, const Target& target) {
  std::set<std::int32_t> tgids(target.processes.begin(), target.processes.end());
  for (const ExplainedNode& node : explanation.nodes)
    if (node.tgid > 0) tgids.insert(node.tgid);
  return {tgids.begin(), tgids.end()};
}

std::string place_of(const CaptureOptions& options, const std::string& id) {
  if (!options.out.empty()) {
    std::error_code ignored;
    const auto path = std::filesystem::absolute(options.out, ignored).lexically_normal().string();
    return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
  }
  return state_directory() + "/captures/" + id;
}

class Session {
 public:
  Session(const CaptureOptions& options, Target target, std::vector<MountEntry> mounts)
      : options_(options), target_(std::move(target)), mounts_(std::move(mounts)) {}

  Result<Capture> run(const FsKnowledge& knowledge);

 private:
  void collect();
  void keep(const CaptureFacts& facts);

  const CaptureOptions& options_;
  Target target_;
  std::vector<MountEntry> mounts_;
  const Deadline deadline_ = Deadline::in(options_.deadline);
  const Nanos realtime_ns_ = realtime_now();
  std::vector<SourceResult> sources_;
  Capture capture_;
};

Result<Capture> Session::run(const FsKnowledge& knowledge) {
  auto look = look_at_this_machine(target_.processes, options_.deadline / 2);
  if (!look) return Failure(look.error());
  if (!look->problem.empty())
    capture_.problems.push_back("locks, queues and FUSE requests: " + look->problem);
  if (!target_.problem.empty()) capture_.problems.push_back(target_.problem);
  narrow(*look, target_);
  capture_.explanation = explain(look->snapshot, knowledge);
  capture_.complete = look->complete && target_.problem.empty();
  collect();
  const CaptureFacts facts{.look = *look,
                           .explanation = capture_.explanation,
                           .sources = sources_,
                           .problems = capture_.problems,
                           .realtime_ns = realtime_ns_};
  capture_.files = capture_files(facts);
  keep(facts);
  capture_.summary_json = incident_json(facts);
  capture_.next =
      next_commands(capture_.explanation, {.archive = capture_.kept ? capture_.archive : "--live",
                                           .target_words = target_.words,
                                           .fusectl_mounted = find_fusectl(mounts_).has_value()});
  return std::move(capture_);
}

void Session::collect() {
  // Room to write is kept back: evidence that is not kept is lost.
  const Deadline deadline(std::max(deadline_.at() - kWriteAtLeast, monotonic_now() + kSecond));
  sources_.push_back(collect_kernel_log(deadline));
  sources_.push_back(collect_processes(concerned(capture_.explanation, target_), deadline));
  for (SourceResult& source : collect_sources(deadline)) sources_.push_back(std::move(source));
  if (options_.sysrq) sources_.push_back(collect_sysrq(Deadline::in(2 * kSecond)));
  for (const SourceResult& source : sources_)
    if (!source.problem.empty())
      capture_.problems.push_back(fmt::format("{}: {}", source.file, source.problem));
}

void Session::keep(const CaptureFacts& facts) {
  const std::string stamp = format_rfc3339(facts.realtime_ns);
  std::string id = "capture-";
  for (const char letter : stamp.substr(0, 19))
    if (letter != ':') id += letter;
  id += fmt::format("-{}", ::getpid());
  std::vector<std::string> places{place_of(options_, id)};
  // The disk of the state directory may be the one that is stuck.
  if (options_.out.empty()) places.push_back("/dev/shm/stallproof-" + id);
  for (const std::string& place : places) {
    const std::string archive = place + ".tar.gz";
    const Deadline deadline(std::max(deadline_.at(), monotonic_now() + kWriteAtLeast));
    const auto written = write_capture(place, archive, capture_.files, facts.realtime_ns, deadline);
    if (written) {
      capture_.kept = true;
      capture_.directory = place;
      capture_.archive = archive;
      return;
    }
    capture_.problems.push_back("not kept: " + written.error().what);
  }
}

}  // namespace

Result<Capture> capture_this_machine(const CaptureOptions& options) {
  if (::geteuid() != 0)
    return fail(
        "capture: not root: the kernel's locks and other users' stacks are hidden (run with sudo)");
  const auto knowledge = load_fs_knowledge(options.fs_files);
  if (!knowledge) return Failure(knowledge.error());
  auto mounts = mounts_now();
  if (!mounts && !options.mount.empty()) return Failure(mounts.error());
  auto target = find_target(options, mounts ? *mounts : std::vector<MountEntry>{});
  if (!target) return Failure(target.error());
  const std::string point = target->mount_point;
  if (auto allowed = refuse_place_on_target(
          options.out, [&point](const MountEntry& each) { return each.mount_point == point; });
      !allowed)
    return Failure(allowed.error());
  return Session(options, std::move(*target),
                 mounts ? std::move(*mounts) : std::vector<MountEntry>{})
      .run(*knowledge);
}

}  // namespace stallproof
