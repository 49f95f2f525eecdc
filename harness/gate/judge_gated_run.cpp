// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "harness/gate/gate.h"

namespace stallproof {
namespace {

class RunJudge {
 public:
  RunJudge(const GatedRun& run, const GateOptions& options, GateReport& report)
      : run_(run), verdict_(*run.stored.verdict), options_(options), report_(report) {}

  void judge() {
    const std::size_t doubts = report_.doubts.size();
    judge_stalls();
    judge_data();
    judge_other_failures();
    judge_sight();
    judge_canary();
    judge_work();
    if (verdict_.outcome == Outcome::unknown) doubt("", reasons("its verdict is unknown"));
    for (const std::string& problem : run_.stored.problems) note(problem);
    for (const std::string& thing : verdict_.left_behind) note("left behind: " + thing);
    if (report_.doubts.size() == doubts)
      report_.node_hours +=
          verdict_.fleet.empty() ? verdict_.duration_s / 3600 : verdict_.fleet.node_hours;
  }

 private:
  void fail_run(const std::string& load, const std::string& what) const {
    report_.failures.push_back({run_.name(), verdict_.node, load, what});
  }
  void doubt(const std::string& load, const std::string& what) const {
    report_.doubts.push_back({run_.name(), verdict_.node, load, what});
  }
  void note(const std::string& what) const {
    report_.notes.push_back({run_.name(), verdict_.node, "", what});
  }

  [[nodiscard]] std::string reasons(const std::string& begin) const {
    std::string text = begin;
    for (std::size_t i = 0; i < verdict_.reasons.size(); ++i)
      text += (i == 0 ? ": " : "; ") + verdict_.reasons[i];
    return text;
  }

  void judge_stalls() const {
    for (const StallEntry& entry : verdict_.stalls) {
      if (!entry.failing) {
        ++report_.resolved_stalls;
        continue;
      }
      GateStall stall{.run = run_.name(),
                      .node = entry.node.empty() ? verdict_.node : entry.node,
                      .shown_by = run_.shown_by,
                      .entry = entry};
      for (const StoredIncident& incident : run_.stored.incidents) {
        if (incident.id != entry.id) continue;
        stall.loads = incident.loads;
        stall.explanation = incident.explanation;
        stall.explanation_text = incident.explanation_text;
      }
      for (KnownUse& use : report_.known) {
        if (use.known.signature != entry.signature) continue;
        ++use.seen;
        if (!use.expired) stall.known = use.known;
      }
      report_.stalls.push_back(std::move(stall));
    }
  }

  void judge_data() const {
    for (const auto& [name, load] : verdict_.workloads)
      if (load.mismatches > 0)
        fail_run(name,
                 fmt::format("corruption: {} times data was read back wrong", load.mismatches));
  }

  // What else the run failed for. A reason that is not that of a stall is never covered by a list
  // of known stalls.
  void judge_other_failures() const {
    if (verdict_.outcome != Outcome::fail) return;
    std::size_t told = 0;
    for (const std::string& reason : verdict_.reasons) {
      if (is_stall_reason(reason)) {
        ++told;
      } else {
        fail_run("", reason);
      }
    }
    if (told == 0 && verdict_.reasons.empty()) fail_run("", "it failed and does not say why");
  }

  // "stalled: mmap_lock_cycle (incident 001)" of a stall that is judged as such.
  [[nodiscard]] bool is_stall_reason(const std::string& reason) const {
    return std::any_of(
        verdict_.stalls.begin(), verdict_.stalls.end(), [&reason](const StallEntry& stall) {
          return stall.failing &&
                 reason == fmt::format("stalled: {} (incident {})", stall.stall_class, stall.id);
        });
  }

  void judge_sight() const {
    const ObserverEntry& observer = verdict_.observer;
    const auto count = [this](std::uint64_t number, const char* what) {
      if (number > 0) doubt("", fmt::format("it was not seen well: {} {}", number, what));
    };
    if (observer.lens.empty()) doubt("", "its verdict does not say how it was watched");
    count(observer.gaps, "times the watchdog was not run");
    count(observer.scan_failures, "scans of the kernel's tasks failed");
    count(observer.kmsg_lost, "records of the kernel log were lost");
    count(observer.probe_timeouts, "reads of /proc did not answer");
    count(observer.events_dropped, "findings of the watchdog were lost");
  }

  void judge_canary() const {
    const auto& canary = verdict_.observer.canary;
    if (canary && canary->passed) {
      ++report_.canaries_seen;
    } else if (canary) {
      doubt("", "its canary did not pass, so nothing shows that a stall would have been seen" +
                    (canary->problem.empty() ? "" : ": " + canary->problem));
    } else {
      ++report_.canaries_absent;
      // A scenario makes its own stall and has no canary beside it.
      const char* const remedy = verdict_.scenario.empty()
                                     ? "run it with --canary yes, or accept it by --no-canary"
                                     : "accept it by --no-canary";
      if (!options_.no_canary)
        doubt("", fmt::format(
                      "it had no canary, so nothing shows that a stall would have been seen ({})",
                      remedy));
    }
  }

  // The least number of operations that count as work.
  [[nodiscard]] std::uint64_t floor_of(const std::string& load) const {
    const auto own = verdict_.load_thresholds.find(load);
    if (own != verdict_.load_thresholds.end() && own->second.min_ops) return *own->second.min_ops;
    return verdict_.min_ops.value_or(0);
  }

  void judge_work() const {
    if (verdict_.workloads.empty() && !verdict_.settings.contains("watch"))
      doubt("", "it did nothing: its verdict has no load");
    for (const auto& [name, load] : verdict_.workloads) {
      const std::uint64_t least = floor_of(name);
      // Somebody else's load may work in ways that are not counted: its verdict has judged that.
      const bool foreign = verdict_.settings.contains("watch") && least == 0;
      if (load.ops < std::max<std::uint64_t>(least, 1) && !foreign)
        doubt(name, fmt::format("{} did {} operations, at least {} are wanted", name, load.ops,
                                std::max<std::uint64_t>(least, 1)));
    }
    if (verdict_.hazard && verdict_.hazard->entered == 0)
      doubt("", "the hazard was never entered, so no stall could have come");
  }

  const GatedRun& run_;
  const Verdict& verdict_;
  const GateOptions& options_;
  GateReport& report_;
};

}  // namespace

void judge_gated_run(const GatedRun& run, const GateOptions& options, GateReport& report) {
  ++report.runs;
  if (!run.stored.verdict) {
    const std::string why = run.damage.empty()
                                ? "unfinished: it has no verdict (it still runs, or was killed)"
                                : run.damage;
    report.doubts.push_back({run.name(), "", "", why});
    return;
  }
  if (run.stored.verdict->fleet.empty()) report.nodes.insert(run.stored.verdict->node);
  for (const NodeEntry& node : run.stored.verdict->fleet.nodes)
    if (node.standing == "counted") report.nodes.insert(node.node);
  RunJudge(run, options, report).judge();
}

}  // namespace stallproof
