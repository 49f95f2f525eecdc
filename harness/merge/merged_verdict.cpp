// SPDX-License-Identifier: Apache-2.0
#include "harness/merge/merged_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/units.h"
#include "harness/merge/merge_words.h"

namespace stallproof {
namespace {

constexpr std::size_t kMostListed = 1000;   // stalls, and dropouts
constexpr std::size_t kMostReasons = 100;   // of each kind
constexpr std::size_t kLongestList = 200;   // characters of a list of nodes
constexpr std::size_t kMostTogether = 200;  // groups

std::string stamp(double unix_ms) {
  if (!(unix_ms > 0) || unix_ms > kMostUnixMs) return {};
  return format_rfc3339(static_cast<Nanos>(unix_ms) * kMillisecond);
}

// A node whose verdict stands for what all have in common: they were compared.
const Verdict* typical(const Merged& merged) {
  for (const Standing wanted : {Standing::counted, Standing::died, Standing::unfinished})
    for (const MergedNode& node : merged.nodes)
      if (node.standing == wanted && node.result.state != NodeState::missing)
        return &node.result.verdict;
  return nullptr;
}

std::string list_words(const Merged& merged, const std::string& list) {
  if (list.size() <= kLongestList || merged.nodes.empty()) return list;
  return fmt::format("{} nodes from {} to {}", merged.expected, merged.nodes.front().name,
                     merged.nodes[merged.expected - 1].name);
}

std::map<std::string, std::string> common_labels(const Merged& merged) {
  const Verdict* first = typical(merged);
  if (first == nullptr) return {};
  auto labels = first->labels;
  for (const MergedNode& node : merged.nodes) {
    if (!node.takes_part() || node.result.state == NodeState::missing) continue;
    std::erase_if(labels, [&node](const auto& label) {
      const auto found = node.result.verdict.labels.find(label.first);
      return found == node.result.verdict.labels.end() || found->second != label.second;
    });
  }
  return labels;
}

void add_reasons(const Merged& merged, Verdict& verdict) {
  std::size_t told = 0;
  // One for each that is listed: by them a gate takes a known stall for known.
  for (std::size_t i = 0; i < std::min(merged.stalls.size(), kMostListed); ++i) {
    const StallEntry& entry = merged.entry_of(merged.stalls[i]);
    if (!entry.failing) break;
    verdict.reasons.push_back(
        fmt::format("stalled: {} (incident {})", entry.stall_class, merged_id(i)));
    ++told;
  }
  if (told < merged.failing_stalls)
    verdict.reasons.push_back(fmt::format("{} more failing stalls", merged.failing_stalls - told));
  for (const auto* findings : {&merged.failures, &merged.doubts}) {
    for (std::size_t i = 0; i < std::min(findings->size(), kMostReasons); ++i)
      verdict.reasons.push_back(finding_words((*findings)[i]));
    if (findings->size() > kMostReasons)
      verdict.reasons.push_back(fmt::format("{} more of these", findings->size() - kMostReasons));
  }
  if (merged.outcome == Outcome::pass)
    verdict.reasons.push_back(fmt::format("all {} nodes passed", merged.expected));
}

void add_stalls(const Merged& merged, const MergedAs& as, Verdict& verdict) {
  std::uint64_t all = 0;
  for (const MergedNode& node : merged.nodes)
    if (node.takes_part()) all += node.result.stalls;
  for (std::size_t i = 0; i < std::min(merged.stalls.size(), kMostListed); ++i) {
    const StallBegin& begin = merged.stalls[i];
    StallEntry entry = merged.entry_of(begin);
    const double onset = onset_ms_of(merged, begin), moved = onset - entry.onset_ms;
    entry.node = merged.nodes[begin.node].name;
    entry.incident = entry.id;
    entry.id = merged_id(i);
    entry.onset_ms = onset;
    entry.detected_ms = std::max(0.0, entry.detected_ms + moved);
    if (entry.resolved_ms) *entry.resolved_ms = std::max(0.0, *entry.resolved_ms + moved);
    entry.explanation =
        as.kept.contains(i) ? fmt::format("incidents/{}/explanation.json", entry.id) : "";
    verdict.stalls.push_back(std::move(entry));
  }
  verdict.stalls_not_listed = all - verdict.stalls.size();
}

void add_dropouts(const Merged& merged, Verdict& verdict) {
  std::uint64_t all = 0;
  for (const MergedNode& node : merged.nodes) {
    if (!node.takes_part()) continue;
    all += node.result.dropouts;
    const double moved = node.begin_ms ? *node.begin_ms - merged.begin_ms : 0;
    for (DropoutEntry dropout : node.result.verdict.dropouts) {
      dropout.workload = node.name + " " + dropout.workload;
      dropout.start_ms = std::max(0.0, dropout.start_ms + moved);
      verdict.dropouts.push_back(std::move(dropout));
    }
  }
  std::stable_sort(verdict.dropouts.begin(), verdict.dropouts.end(),
                   [](const DropoutEntry& one, const DropoutEntry& other) {
                     return one.duration_ms > other.duration_ms;
                   });
  if (verdict.dropouts.size() > kMostListed) verdict.dropouts.resize(kMostListed);
  verdict.dropouts_not_listed = all - verdict.dropouts.size();
}

void add_loads(const Verdict& of_node, Verdict& verdict) {
  for (const auto& [name, load] : of_node.workloads) {
    WorkloadEntry& sum = verdict.workloads[name];
    sum.ops += load.ops;
    sum.bytes += load.bytes;
    sum.errors += load.errors;
    sum.mismatches += load.mismatches;
    sum.sigbus += load.sigbus;
    // Percentiles of several nodes do not add up; the worst second of all does.
    if (load.max_us) sum.max_us = std::max(sum.max_us.value_or(0), *load.max_us);
  }
}

void add_observer(const ObserverEntry& of_node, ObserverEntry& observer) {
  if (observer.lens.empty()) observer.lens = of_node.lens;
  if (observer.lens != of_node.lens) observer.lens = "of several kinds";
  observer.loop_lag_max_ms = std::max(observer.loop_lag_max_ms, of_node.loop_lag_max_ms);
  observer.tick_max_ms = std::max(observer.tick_max_ms, of_node.tick_max_ms);
  observer.tick_max_in_stall_ms =
      std::max(observer.tick_max_in_stall_ms, of_node.tick_max_in_stall_ms);
  observer.cpu_percent = std::max(observer.cpu_percent, of_node.cpu_percent);
  observer.rss_kib = std::max(observer.rss_kib, of_node.rss_kib);
  observer.scans += of_node.scans;
  observer.scan_max_ms = std::max(observer.scan_max_ms, of_node.scan_max_ms);
  observer.scan_failures += of_node.scan_failures;
  observer.gaps += of_node.gaps;
  observer.gaps_ms += of_node.gaps_ms;
  observer.suspended_ms += of_node.suspended_ms;
  for (const std::string& spot : of_node.blind_spots)
    if (std::find(observer.blind_spots.begin(), observer.blind_spots.end(), spot) ==
        observer.blind_spots.end())
      observer.blind_spots.push_back(spot);
  observer.kmsg_lost += of_node.kmsg_lost;
  observer.probe_timeouts += of_node.probe_timeouts;
  observer.events_dropped += of_node.events_dropped;
}

// There is one only when every node had one.
void add_canary(const Merged& merged, Verdict& verdict) {
  CanaryEntry canary{.passed = true, .place = "each of the nodes, on a place of its own"};
  for (const MergedNode& node : merged.nodes) {
    if (node.standing != Standing::counted) continue;
    const auto& own = node.result.verdict.observer.canary;
    if (!own) return;
    if (canary.fault.empty()) canary.fault = own->fault;
    canary.stall_after_ms = std::max(canary.stall_after_ms, own->stall_after_ms);
    if (own->passed) continue;
    if (canary.passed) canary.problem = fmt::format("{}: {}", node.name, own->problem);
    canary.passed = false;
  }
  if (merged.counted > 0) verdict.observer.canary = std::move(canary);
}

void add_hazard(const Verdict& of_node, Verdict& verdict) {
  if (!of_node.hazard) return;
  if (!verdict.hazard) verdict.hazard.emplace();
  verdict.hazard->entered += of_node.hazard->entered;
}

void describe(const Merged& merged, Verdict& verdict) {
  const Verdict* first = typical(merged);
  if (first == nullptr) return;
  verdict.scenario = first->scenario;
  verdict.settings = first->settings;  // others differ in what circumstances() passes over only
  verdict.kernel = first->kernel;
  verdict.target_path = first->target_path;
  verdict.target_fstype = first->target_fstype;
  verdict.target_source = first->target_source;
  verdict.target_modules = first->target_modules;
  verdict.stall_after_ms = first->stall_after_ms;
  verdict.fail_after_ms = first->fail_after_ms;
  verdict.dropout_below = first->dropout_below;
  verdict.max_dropouts = first->max_dropouts;
  verdict.max_dropout_seconds = first->max_dropout_seconds;
  verdict.min_ops = first->min_ops;
  verdict.load_thresholds = first->load_thresholds;
  verdict.captures.policy = first->captures.policy;
}

NodeEntry node_entry(const Merged& merged, const MergedNode& node) {
  const NodeResult& result = node.result;
  const NodeWork work = work_of(result.verdict);
  NodeEntry entry{.node = node.name,
                  .standing = standing_word(node.standing),
                  .why = node.why,
                  .run = result.run,
                  .directory = result.directory};
  if (result.state == NodeState::finished) entry.verdict = outcome_name(result.verdict.outcome);
  if (node.begin_ms) entry.start_ms = *node.begin_ms - merged.begin_ms;
  entry.duration_s = result.verdict.duration_s;
  entry.stalls = result.stalls;
  entry.failing_stalls = result.failing_stalls;
  entry.dropouts = result.dropouts;
  entry.ops = work.ops;
  entry.bytes = work.bytes;
  entry.p99_us = work.p99_us;
  entry.max_us = work.max_us;
  if (result.coordination) {
    entry.clock_offset_ms = result.coordination->offset_ms;
    entry.clock_error_ms = result.coordination->error_ms;
    entry.start_late_ms = result.coordination->start_late_ms;
  }
  return entry;
}

void add_together(const Merged& merged, Verdict& verdict) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> places;
  for (std::size_t i = 0; i < std::min(merged.stalls.size(), kMostListed); ++i)
    places[{merged.stalls[i].node, merged.stalls[i].entry}] = i;
  for (const auto& group : merged.together) {
    if (verdict.fleet.together.size() >= kMostTogether) break;
    TogetherEntry entry{.onset_ms = std::max(0.0, group.front().onset_ms - merged.begin_ms),
                        .within_ms = group.back().onset_ms - group.front().onset_ms,
                        .failing = any_failing(merged, group),
                        .nodes = node_names(merged, group),
                        .signatures = signatures_of(merged, group),
                        .stalls = {}};
    for (const StallBegin& stall : group)
      if (const auto place = places.find({stall.node, stall.entry}); place != places.end())
        entry.stalls.push_back(merged_id(place->second));
    verdict.fleet.together.push_back(std::move(entry));
  }
}

void add_fleet_entry(const Merged& merged, Verdict& verdict) {
  verdict.fleet.node_hours = merged.node_hours;
  for (const MergedNode& node : merged.nodes)
    verdict.fleet.nodes.push_back(node_entry(merged, node));
  add_together(merged, verdict);
}

}  // namespace

std::string merged_id(std::size_t place) { return fmt::format("{:03}", place + 1); }

Verdict merged_verdict(const Merged& merged, const MergedAs& as) {
  Verdict verdict;
  describe(merged, verdict);
  verdict.run = as.run;
  verdict.node = list_words(merged, as.nodes);
  verdict.tool_version = as.tool_version;
  verdict.labels = common_labels(merged);
  verdict.outcome = merged.outcome;
  verdict.exit_code = merged.exit_code;
  verdict.started = stamp(merged.begin_ms);
  verdict.ended = stamp(merged.end_ms);
  verdict.duration_s = std::max(0.0, merged.end_ms - merged.begin_ms) / 1e3;
  add_reasons(merged, verdict);
  add_stalls(merged, as, verdict);
  add_dropouts(merged, verdict);
  for (const MergedNode& node : merged.nodes) {
    if (!node.takes_part()) continue;
    add_loads(node.result.verdict, verdict);
    if (node.standing != Standing::counted) continue;
    add_observer(node.result.verdict.observer, verdict.observer);
    add_hazard(node.result.verdict, verdict);
  }
  add_canary(merged, verdict);
  for (const MergeFinding& note : merged.notes) verdict.notes.push_back(finding_words(note));
  add_fleet_entry(merged, verdict);
  return verdict;
}

}  // namespace stallproof
