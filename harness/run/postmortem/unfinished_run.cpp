// SPDX-License-Identifier: Apache-2.0
#include "harness/run/postmortem/unfinished_run.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/first_line.h"
#include "harness/base/json_fields.h"
#include "harness/base/one_line.h"
#include "harness/run/process_identity.h"
#include "harness/store/history_entry.h"
#include "harness/store/run_read.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostOfSmallFile = 1U << 20U;
constexpr std::int64_t kClockSlack = 2 * static_cast<std::int64_t>(kSecond);

std::int64_t changed_ns(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * static_cast<std::int64_t>(kSecond) + info.st_mtim.tv_nsec;
}

std::string shown_first_line(const std::string& path) { return on_one_line(first_line(path)); }

std::int64_t boot_time_ns(const std::string& root) {
  const auto stat = read_file(root + "/proc/stat");
  const std::size_t at = stat ? stat->find("\nbtime ") : std::string::npos;
  if (at == std::string::npos) return 0;
  return std::strtoll(stat->c_str() + at + 7, nullptr, 10) * static_cast<std::int64_t>(kSecond);
}

struct Manifest {
  bool there = false;
  std::string state;
  ProcessIdentity controller;
};

Manifest read_manifest(UnfinishedRun& run) {
  Manifest manifest;
  const std::string path = run.directory + "/manifest.json";
  const auto text = read_file(path, kMostOfSmallFile);
  const auto document = text ? parse_json_object(*text, path) : fail("");
  if (!document) return manifest;
  std::string problem;
  JsonFields in(*document, "", problem);
  in.text("run", run.id);
  in.text("boot_id", run.boot_id);
  in.text("node", run.node);
  in.text("kernel", run.kernel);
  in.text("tool_version", run.tool_version);
  in.text("on_stall", run.policy);
  in.text("started", run.started);
  in.texts("labels", run.labels);
  in.text("state", manifest.state);
  in.object("controller", [&](JsonFields& below) {
    std::uint64_t pid = 0, ticks = 0;
    below.count("pid", pid);
    below.count("start_ticks", ticks);
    manifest.controller = {.pid = static_cast<pid_t>(std::min<std::uint64_t>(pid, 1U << 22U)),
                           .start_ticks = ticks};
  });
  manifest.there = problem.empty() && !run.boot_id.empty();
  return manifest;
}

void read_environment(UnfinishedRun& run) {
  const auto text = read_file(run.directory + "/env.json", kMostOfSmallFile);
  const auto environment = text ? parse_environment(*text, "env.json") : fail("");
  if (!environment) return;
  run.node = environment->node;
  run.kernel = environment->kernel;
  run.tool_version = environment->tool_version;
}

// Started before the run was: it is not a later process that got the same pid.
bool may_be_controller(pid_t pid, std::int64_t run_made_ns, const MachineNow& machine) {
  const ProcessIdentity process = identify_process(pid);
  if (presence_of(process) == Presence::gone) return false;
  if (process.start_ticks == 0 || machine.booted_ns == 0) return true;
  const auto ticks =
      static_cast<double>(process.start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return machine.booted_ns + static_cast<std::int64_t>(ticks * 1e9) <= run_made_ns + kClockSlack;
}

// By the process that the manifest names, or the name of the run does.
void judge_controller(UnfinishedRun& run, const Manifest& manifest, const MachineNow& machine) {
  if (!machine.here) {
    run.why = "its machine is of the same boot still, and is not this one";
    return;
  }
  Presence presence = Presence::unknown;
  if (manifest.controller.pid > 0)
    presence = presence_of(manifest.controller);
  else if (run.controller > 0)
    presence = may_be_controller(run.controller, changed_ns(run.directory + "/run.id"), machine)
                   ? Presence::present
                   : Presence::gone;
  if (presence == Presence::gone) {
    run.end = RunEnd::controller_died;
    run.why = fmt::format("its controller (pid {}) is gone and left no verdict", run.controller);
  } else if (presence == Presence::present) {
    run.end = RunEnd::running;
    run.why = fmt::format("its controller (pid {}) lives", run.controller);
  } else {
    run.why = fmt::format("whether its controller (pid {}) lives cannot be told", run.controller);
  }
}

bool of_another_boot(const UnfinishedRun& run, const MachineNow& machine) {
  if (!run.boot_id.empty() && !machine.boot_id.empty()) return run.boot_id != machine.boot_id;
  // A disk alone has no boot: whoever wrote it is gone.
  if (!machine.here) return true;
  return machine.booted_ns != 0 && run.last_sign_ns != 0 &&
         run.last_sign_ns + kClockSlack < machine.booted_ns;
}

}  // namespace

MachineNow look_at_machine(const std::string& root) {
  const bool here = root.empty() || root == "/";
  const std::string at = here ? "" : root;
  return {.boot_id = shown_first_line(at + "/proc/sys/kernel/random/boot_id"),
          .booted_ns = boot_time_ns(at),
          .here = here};
}

UnfinishedRun look_at_unfinished(const std::string& directory, const MachineNow& machine) {
  UnfinishedRun run;
  run.directory = directory;
  run.id = shown_first_line(directory + "/run.id");
  read_environment(run);
  const Manifest manifest = read_manifest(run);
  run.controller = manifest.controller.pid;
  const std::size_t dash = run.id.rfind('-');
  if (run.controller == 0 && dash != std::string::npos)
    run.controller = static_cast<pid_t>(std::strtol(run.id.c_str() + dash + 1, nullptr, 10));
  for (const char* name : {"/events.jsonl", "/manifest.json", "/run.id"})
    run.last_sign_ns = std::max(run.last_sign_ns, changed_ns(directory + name));
  if (of_another_boot(run, machine)) {
    run.end = RunEnd::node_died;
    run.why = manifest.there ? "the machine has booted since" : "it is from before this boot";
  } else {
    judge_controller(run, manifest, machine);
  }
  return run;
}

std::vector<std::string> unfinished_directories(const std::string& runs) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(runs, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    if (!entry->is_symlink(error) && is_run_directory(path) && verdict_stamp_ns(path) == 0)
      found.push_back(path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace stallproof
