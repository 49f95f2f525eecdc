// SPDX-License-Identifier: Apache-2.0
#include "harness/run/watch_verdict.h"

#include <fmt/format.h>

#include "harness/run/watch_outcome.h"

namespace stallproof {
namespace {

// Totals since the watchdog first saw each load.
std::map<std::string, WorkloadEntry> workloads(const WatchVerdictInput& in) {
  std::map<std::string, WorkloadEntry> loads;
  const auto view = newest_view(in.evidence.area());
  if (!view) return loads;
  for (std::size_t i = 0; i < in.load_names.size(); ++i) loads[in.load_names[i]].ops = view->ops[i];
  return loads;
}

bool work_was_seen(const WatchVerdictInput& in, const Verdict& verdict) {
  if (in.command_calls.value_or(0) > 0) return true;
  for (const auto& [name, load] : verdict.workloads)
    if (load.ops > 0) return true;
  const auto& first = in.counters.first().processes;
  const auto& last = in.counters.last().processes;
  return first && last && last->reads + last->writes > first->reads + first->writes;
}

std::vector<std::string> sight_lost(const WatchVerdictInput& in) {
  std::vector<std::string> found = impairments(in.evidence, in.state.figures);
  found.insert(found.end(), in.state.blind.begin(), in.state.blind.end());
  const EvidenceArea& area = in.evidence.area();
  // Waits in FUSE sleep interruptibly: by their state alone they look like any idle thread.
  if (area.scan_problem[0] != '\0' && !in.state.sees_stacks)
    found.push_back(
        fmt::format("neither BPF nor stacks can be read, so threads waiting for FUSE look idle: {}",
                    area.scan_problem.data()));
  if (area.target_problem[0] != '\0' && !in.state.sees_stacks)
    found.push_back(fmt::format("the target's threads: {}", area.target_problem.data()));
  return found;
}

std::string target_words(const WatchOptions& options) {
  if (options.pid) return fmt::format("pid {}", *options.pid);
  if (!options.mount.empty()) return "mount " + options.mount;
  if (!options.cgroup.empty()) return "cgroup " + options.cgroup;
  std::string words = "command";
  for (const std::string& word : options.command) words += " " + word;
  return words;
}

}  // namespace

Verdict make_watch_verdict(const WatchVerdictInput& in) {
  Verdict verdict;
  describe_run(verdict, in.state.clock, in.options.thresholds);
  verdict.run = in.run_id;
  verdict.settings["watch"] = target_words(in.options);
  verdict.settings["ended_by"] = in.state.ended_by;
  verdict.labels = in.options.labels;
  verdict.target_path = in.target.path();
  verdict.target_fstype = in.target.fstype();
  verdict.target_source = in.target.source();
  note_target_facts(in.target.facts(), verdict);
  verdict.left_behind = in.state.left_behind;
  verdict.captures = in.captures;
  verdict.marks = in.marks;
  verdict.observer = observer_entry(in.evidence, in.state.figures, in.book.incidents());
  verdict.observer.canary = in.canary;
  verdict.dropouts =
      dropout_entries(in.book.dropouts(), in.load_names, in.state.clock, monotonic_now());
  verdict.workloads = workloads(in);
  for (const SuspectedRecord& each : in.state.suspected)
    verdict.suspected.push_back({.workload = each.load,
                                 .since_ms = in.state.clock.ms(each.since_ns),
                                 .until_ms = each.until_ns
                                                 ? std::optional(in.state.clock.ms(*each.until_ns))
                                                 : std::nullopt});
  WatchFacts facts{.interrupted = in.state.interrupted,
                   .lost = in.state.lost,
                   .impaired = sight_lost(in),
                   .unsaved = in.unsaved,
                   .stalls = in.book.incidents().size() + in.book.unlisted().stalls};
  if (in.canary) {
    facts.proven = in.canary->passed;
    facts.unproven = why_unproven(*in.canary);
  }
  for (const IncidentRecord& incident : in.book.incidents()) {
    const StallEntry stall =
        stall_entry(incident, in.state.clock, in.options.thresholds.fail_after);
    if (stall.failing)
      facts.failing.push_back(fmt::format("{} (incident {})", stall.stall_class, stall.id));
    verdict.stalls.push_back(stall);
  }
  facts.worked = work_was_seen(in, verdict);
  if (in.command_status) facts.command_exit = shell_status(*in.command_status);
  verdict.command_exit = facts.command_exit;
  const WatchOutcome outcome = judge_watch(facts);
  verdict.outcome = outcome.outcome;
  verdict.exit_code = outcome.exit_code;
  verdict.reasons = outcome.reasons;
  note_unlisted(verdict, in.book.unlisted());
  return verdict;
}

}  // namespace stallproof
