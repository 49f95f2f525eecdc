// SPDX-License-Identifier: Apache-2.0
#include "harness/store/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

// Microsecond resolution is all that the clock and the reader need.
double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

template <class T>
Json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_floating_point_v<T>)
    return rounded(*value);
  else
    return *value;
}

Json stall_json(const StallEntry& stall) {
  Json document = {{"id", stall.id},
                   {"class", stall.stall_class},
                   {"signature", stall.signature},
                   {"onset", stall.onset},
                   {"onset_ms", rounded(stall.onset_ms)},
                   {"detected_ms", rounded(stall.detected_ms)},
                   {"resolved_ms", or_null(stall.resolved_ms)},
                   {"failing", stall.failing},
                   {"marked", stall.marked},
                   {"sources", stall.sources},
                   {"explanation", stall.explanation}};
  if (stall.node.empty()) return document;
  document["node"] = stall.node;
  document["incident"] = stall.incident;
  return document;
}

Json mark_entry_json(const MarkEntry& mark) {
  return {{"text", mark.text},
          {"start_ms", rounded(mark.start_ms)},
          {"end_ms", rounded(mark.end_ms)},
          {"allow_ms", or_null(mark.allow_ms)}};
}

Json dropout_json(const DropoutEntry& dropout) {
  return {{"workload", dropout.workload},
          {"start_ms", rounded(dropout.start_ms)},
          {"duration_ms", rounded(dropout.duration_ms)},
          {"min_ratio", rounded(dropout.min_ratio)}};
}

Json suspected_json(const SuspectedEntry& suspected) {
  return {{"workload", suspected.workload},
          {"since_ms", rounded(suspected.since_ms)},
          {"until_ms", or_null(suspected.until_ms)}};
}

Json workload_json(const WorkloadEntry& load) {
  return {{"ops", load.ops},
          {"bytes", load.bytes},
          {"errors", load.errors},
          {"mismatches", load.mismatches},
          {"sigbus", load.sigbus},
          {"p50_us", or_null(load.p50_us)},
          {"p99_us", or_null(load.p99_us)},
          {"max_us", or_null(load.max_us)},
          {"per_second_min", or_null(load.per_second_min)}};
}

Json look_json(const CanaryLookEntry& look) {
  return {{"class", look.stall_class},
          {"signature", look.signature},
          {"injected_ms", or_null(look.injected_ms)},
          {"detected_ms", or_null(look.detected_ms)},
          {"explained_ms", or_null(look.explained_ms)},
          {"resolved_ms", or_null(look.resolved_ms)},
          {"healed_ms", or_null(look.healed_ms)},
          {"captured", look.captured},
          {"evidence", look.evidence},
          {"passed", look.passed},
          {"why", look.why}};
}

std::string proof_of(const CanaryEntry& canary) {
  if (!canary.passed) return "nothing: it did not pass";
  return fmt::format(
      "that the alarm, the explanation and the capture work, on {}; not that a stall of another "
      "file system is seen",
      canary.place);
}

Json canary_json(const std::optional<CanaryEntry>& canary) {
  if (!canary) return nullptr;
  Json document = {
      {"passed", canary->passed},   {"fault", canary->fault},
      {"place", canary->place},     {"proves", proof_of(*canary)},
      {"problem", canary->problem}, {"stall_after_ms", rounded(canary->stall_after_ms)}};
  for (const auto& [when, look] : canary->looks) document[when] = look_json(look);
  return document;
}

Json module_json(const ModuleEntry& module) {
  return {{"name", module.name},
          {"version", module.version},
          {"srcversion", module.srcversion},
          {"built_in", module.built_in}};
}

Json server_json(const std::optional<FsServerEntry>& server) {
  if (!server) return nullptr;
  return {{"pid", server->pid}, {"comm", server->comm}, {"exe", server->exe}};
}

Json observer_json(const ObserverEntry& observer) {
  return {{"lens", observer.lens},
          {"loop_lag_max_ms", rounded(observer.loop_lag_max_ms)},
          {"tick_max_ms", rounded(observer.tick_max_ms)},
          {"tick_max_in_stall_ms", rounded(observer.tick_max_in_stall_ms)},
          {"cpu_percent", rounded(observer.cpu_percent)},
          {"rss_kib", observer.rss_kib},
          {"scans", observer.scans},
          {"scan_max_ms", rounded(observer.scan_max_ms)},
          {"scan_failures", observer.scan_failures},
          {"gaps", observer.gaps},
          {"gaps_ms", rounded(observer.gaps_ms)},
          {"suspended_ms", rounded(observer.suspended_ms)},
          {"kmsg_lost", observer.kmsg_lost},
          {"probe_timeouts", observer.probe_timeouts},
          {"events_dropped", observer.events_dropped},
          {"blind_spots", observer.blind_spots},
          {"canary", canary_json(observer.canary)}};
}

// What a run with these thresholds may have had and pass all the same.
std::vector<std::string> lets_pass(const ThresholdsEntry& limits) {
  std::vector<std::string> words{
      fmt::format("no completion for less than {:g} s", limits.stall_after_ms / 1e3)};
  if (limits.fail_after_ms > limits.stall_after_ms)
    words.push_back(fmt::format("a stall that resolves within {:g} s", limits.fail_after_ms / 1e3));
  const double percent = limits.dropout_below * 100;
  words.push_back(fmt::format("throughput down to {:g} % of its median", percent));
  if (limits.max_dropouts)
    words.push_back(fmt::format("{} dropouts below that", *limits.max_dropouts));
  if (limits.max_dropout_seconds)
    words.push_back(fmt::format("{:g} s of dropouts below that", *limits.max_dropout_seconds));
  if (!limits.max_dropouts && !limits.max_dropout_seconds)
    words.emplace_back("any dropout below that, which is counted and shown");
  return words;
}

Json limits_json(const ThresholdsEntry& limits) {
  return {{"stall_after_ms", rounded(limits.stall_after_ms)},
          {"fail_after_ms", rounded(limits.fail_after_ms)},
          {"dropout_below", limits.dropout_below},
          {"lets_pass", lets_pass(limits)},
          {"max_dropouts", or_null(limits.max_dropouts)},
          {"max_dropout_seconds", or_null(limits.max_dropout_seconds)},
          {"min_ops", or_null(limits.min_ops)}};
}

Json all_limits_json(const RunThresholds& thresholds) {
  Json document = limits_json(thresholds.usual);
  document["loads"] = Json::object();
  for (const auto& [name, own] : thresholds.loads) document["loads"][name] = limits_json(own);
  return document;
}

Json timings_json(const TimingEntry& timings) {
  return {{"armed_ms", or_null(timings.armed_ms)},
          {"last_op_ms", or_null(timings.last_op_ms)},
          {"detected_ms", or_null(timings.detected_ms)},
          {"explained_ms", or_null(timings.explained_ms)},
          {"heal_asked_ms", or_null(timings.heal_asked_ms)},
          {"healed_ms", or_null(timings.healed_ms)}};
}

Json captures_json(const CapturesEntry& captures) {
  return {{"policy", captures.policy},
          {"taken", captures.taken},
          {"problems", captures.problems},
          {"crash", captures.crash.empty() ? Json(nullptr) : Json(captures.crash)}};
}

Json hazard_json(const std::optional<HazardEntry>& hazard) {
  if (!hazard) return nullptr;
  return {{"entered", hazard->entered}, {"per_second_min", or_null(hazard->per_second_min)}};
}

Json service_json(const std::optional<ServiceEntry>& service) {
  if (!service) return nullptr;
  return {{"page_reads", service->page_reads},
          {"direct_reads", service->direct_reads},
          {"page_reads_per_second_min", or_null(service->page_reads_per_second_min)},
          {"direct_reads_per_second_min", or_null(service->direct_reads_per_second_min)}};
}

template <class Items, class Render>
Json list_json(const Items& items, Render render) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(render(item));
  return list;
}

}  // namespace

std::string outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "pass";
    case Outcome::fail:
      return "fail";
    case Outcome::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string verdict_json(const Verdict& verdict) {
  Json workloads = Json::object();
  for (const auto& [name, load] : verdict.workloads) workloads[name] = workload_json(load);
  Json document = {{"schema", kVerdictSchema},
                   {"run", verdict.run},
                   {"scenario", verdict.scenario},
                   {"settings", verdict.settings},
                   {"verdict", outcome_name(verdict.outcome)},
                   {"exit_code", verdict.exit_code},
                   {"reasons", verdict.reasons},
                   {"labels", verdict.labels},
                   {"node", verdict.node},
                   {"kernel", verdict.kernel},
                   {"tool_version", verdict.tool_version},
                   {"target",
                    {{"path", verdict.target_path},
                     {"fstype", verdict.target_fstype},
                     {"source", verdict.target_source},
                     {"modules", list_json(verdict.target_modules, module_json)},
                     {"server", server_json(verdict.target_server)}}},
                   {"thresholds", all_limits_json(thresholds_of(verdict))},
                   {"started", verdict.started},
                   {"ended", verdict.ended},
                   {"duration_s", rounded(verdict.duration_s)},
                   {"stalls", list_json(verdict.stalls, stall_json)},
                   {"marks", list_json(verdict.marks, mark_entry_json)},
                   {"dropouts", list_json(verdict.dropouts, dropout_json)},
                   {"stalls_not_listed", verdict.stalls_not_listed},
                   {"dropouts_not_listed", verdict.dropouts_not_listed},
                   {"suspected", list_json(verdict.suspected, suspected_json)},
                   {"hazard", hazard_json(verdict.hazard)},
                   {"observer", observer_json(verdict.observer)},
                   {"ffs", service_json(verdict.service)},
                   {"timings", timings_json(verdict.timings)},
                   {"captures", captures_json(verdict.captures)},
                   {"notes", verdict.notes},
                   {"left_behind", verdict.left_behind},
                   {"command_exit", or_null(verdict.command_exit)},
                   {"workloads", workloads}};
  add_fleet(verdict.fleet, document);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

RunThresholds thresholds_of(const Verdict& verdict) {
  return {.usual = {.stall_after_ms = verdict.stall_after_ms,
                    .fail_after_ms = verdict.fail_after_ms,
                    .dropout_below = verdict.dropout_below,
                    .max_dropouts = verdict.max_dropouts,
                    .max_dropout_seconds = verdict.max_dropout_seconds,
                    .min_ops = verdict.min_ops},
          .loads = verdict.load_thresholds};
}

void set_thresholds(const RunThresholds& thresholds, Verdict& verdict) {
  verdict.stall_after_ms = thresholds.usual.stall_after_ms;
  verdict.fail_after_ms = thresholds.usual.fail_after_ms;
  verdict.dropout_below = thresholds.usual.dropout_below;
  verdict.max_dropouts = thresholds.usual.max_dropouts;
  verdict.max_dropout_seconds = thresholds.usual.max_dropout_seconds;
  verdict.min_ops = thresholds.usual.min_ops;
  verdict.load_thresholds = thresholds.loads;
}

std::string thresholds_json(const RunThresholds& thresholds) {
  return all_limits_json(thresholds).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stallproof
