// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/base/rfc3339.h"
#include "harness/base/units.h"
#include "harness/run/postmortem/killed_run.h"
#include "harness/run/postmortem/postmortem.h"

namespace stallproof {
namespace {

// The words that pipelines look for, then what they mean here.
std::string end_words(const UnfinishedRun& run, const Remains& remains) {
  if (run.end == RunEnd::controller_died)
    return fmt::format("controller_died: {} (killed, or ended by an error; the node lives)",
                       run.why);
  const FoundCrash& crash = remains.crash;
  if (crash.by == TiedBy::nothing) return "node_died_no_vmcore: " + run.why;
  const std::string tied = fmt::format("(tied {})", tie_words(crash.by));
  if (!crash.site.dump.empty())
    return fmt::format("node_died, vmcore={} {}", crash.site.dump, tied);
  if (!crash.site.incomplete.empty())
    return fmt::format("dump_failed: {} was not written to its end {}", crash.site.incomplete,
                       tied);
  return fmt::format("node_died_no_vmcore: only the kernel log {} {}", crash.site.log_file, tied);
}

bool is_sure(TiedBy by) { return by == TiedBy::boot_line || by == TiedBy::run_line; }

// A circle in a dump that belongs to the run for sure.
const Explanation* proven_circle(const Remains& remains) {
  const bool proven = is_sure(remains.crash.by) && remains.by_dump && remains.by_dump->cycle;
  return proven ? &*remains.by_dump : nullptr;
}

std::int64_t started_ms(const UnfinishedRun& run) {
  const auto stamp = parse_rfc3339(run.started);
  return stamp ? stamp->unix_ms : 0;
}

void add_circle(const Explanation& circle, const KilledRun& killed, Verdict& verdict) {
  for (StallEntry& stall : verdict.stalls) {
    // The run had seen it; what stood in the end is what the dump shows.
    if (stall.resolved_ms) continue;
    if (stall.signature != "unknown" && stall.signature != circle.signature) continue;
    stall.stall_class = circle.stall_class;
    stall.signature = circle.signature;
    stall.sources.emplace_back("vmcore");
    if (stall.explanation.empty()) stall.explanation = "postmortem/explanation.json";
    stall.failing = true;
    return;
  }
  StallEntry stall;
  stall.id = "vmcore";
  stall.stall_class = circle.stall_class;
  stall.signature = circle.signature;
  stall.onset_ms = stall.detected_ms = killed.last_ms;
  stall.failing = true;
  stall.sources = {"vmcore"};
  stall.explanation = "postmortem/explanation.json";
  verdict.stalls.push_back(std::move(stall));
}

void describe(const UnfinishedRun& run, const KilledRun& killed, Verdict& verdict) {
  verdict.run = run.id;
  verdict.scenario = killed.scenario;
  verdict.labels = run.labels;
  verdict.node = run.node;
  verdict.kernel = run.kernel;
  verdict.tool_version = run.tool_version;
  verdict.captures.policy = run.policy;
  if (killed.crash_asked) verdict.captures.crash = "asked for";
  set_thresholds(killed.thresholds, verdict);
  verdict.started = run.started;
  verdict.duration_s = killed.last_ms / 1000;
  const std::int64_t started = started_ms(run);
  const auto stamp = [started](double at_ms) {
    const auto at =
        static_cast<Nanos>(started + static_cast<std::int64_t>(std::clamp(at_ms, 0.0, 1e14)));
    return started > 0 ? format_rfc3339(at * kMillisecond) : std::string();
  };
  verdict.ended = stamp(killed.last_ms);
  verdict.marks = killed.marks;
  verdict.workloads = killed.workloads;
  verdict.observer.blind_spots = {kDidNotReachItsEnd};
  verdict.stalls = judged_stalls(killed, run.end);
  for (StallEntry& stall : verdict.stalls) stall.onset = stamp(stall.onset_ms);
}

std::string time_words(double ms) { return format_duration(nanos_from_ms(ms)); }

std::string failing_words(const StallEntry& stall, double last_ms) {
  std::string words = fmt::format("failing stall {}: {}", stall.id, stall.stall_class);
  if (stall.resolved_ms) return words;
  return words + fmt::format(", not resolved: it had stood for {} when the run was last heard of",
                             time_words(last_ms - stall.onset_ms));
}

std::string open_words(const StallEntry& stall, double last_ms) {
  return fmt::format(
      "stall {}: {}, had stood for {} when the run was killed: too short to fail, and how it ended "
      "is not known",
      stall.id, stall.stall_class, time_words(last_ms - stall.onset_ms));
}

}  // namespace

Verdict verdict_after_death(const UnfinishedRun& run, const Remains& remains) {
  const KilledRun killed = read_killed_run(run.directory);
  Verdict verdict;
  describe(run, killed, verdict);
  verdict.reasons.push_back(end_words(run, remains));
  if (const Explanation* circle = proven_circle(remains)) {
    add_circle(*circle, killed, verdict);
    verdict.reasons.push_back(fmt::format("the vmcore explains {}", circle->signature));
  } else if (const Explanation* told = best_explanation(remains)) {
    verdict.reasons.push_back(fmt::format(
        "{} {} {}", told == &*remains.by_dump ? "the vmcore" : "the kernel log",
        is_sure(remains.log_by) || is_sure(remains.crash.by) ? "tells of" : "may tell of",
        told->signature));
  }
  bool failing = false;
  for (const StallEntry& stall : verdict.stalls) {
    failing = failing || stall.failing;
    if (stall.failing)
      verdict.reasons.push_back(failing_words(stall, killed.last_ms));
    else if (!stall.resolved_ms)
      verdict.reasons.push_back(open_words(stall, killed.last_ms));
  }
  verdict.reasons.insert(verdict.reasons.end(), killed.problems.begin(), killed.problems.end());
  verdict.outcome = failing ? Outcome::fail : Outcome::unknown;
  verdict.exit_code = failing ? 1 : 3;
  return verdict;
}

}  // namespace stallproof
