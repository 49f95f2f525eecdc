// SPDX-License-Identifier: Apache-2.0
#include "harness/store/verdict_read.h"

#include <fmt/format.h>

#include "harness/base/file.h"
#include "harness/base/json_fields.h"
#include "harness/base/one_line.h"

namespace stallproof {
namespace {

StallEntry stall_of(JsonFields& in) {
  StallEntry stall;
  for (const char* key : {"id", "class", "detected_ms", "failing"}) in.require(key);
  in.text("id", stall.id);
  in.text("class", stall.stall_class);
  in.text("signature", stall.signature);
  in.text("onset", stall.onset);
  in.amount("onset_ms", stall.onset_ms);
  in.amount("detected_ms", stall.detected_ms);
  in.maybe("resolved_ms", stall.resolved_ms);
  in.flag("failing", stall.failing);
  in.flag("marked", stall.marked);
  in.texts("sources", stall.sources);
  in.text("explanation", stall.explanation);
  in.text("node", stall.node);
  in.text("incident", stall.incident);
  return stall;
}

DropoutEntry dropout_of(JsonFields& in) {
  DropoutEntry dropout;
  in.text("workload", dropout.workload);
  in.amount("start_ms", dropout.start_ms);
  in.amount("duration_ms", dropout.duration_ms);
  in.amount("min_ratio", dropout.min_ratio);
  return dropout;
}

SuspectedEntry suspected_of(JsonFields& in) {
  SuspectedEntry suspected;
  in.text("workload", suspected.workload);
  in.amount("since_ms", suspected.since_ms);
  in.maybe("until_ms", suspected.until_ms);
  return suspected;
}

WorkloadEntry workload_of(JsonFields& in) {
  WorkloadEntry load;
  in.require("ops");
  in.count("ops", load.ops);
  in.count("bytes", load.bytes);
  in.count("errors", load.errors);
  in.count("mismatches", load.mismatches);
  in.count("sigbus", load.sigbus);
  in.maybe("p50_us", load.p50_us);
  in.maybe("p99_us", load.p99_us);
  in.maybe("max_us", load.max_us);
  in.maybe("per_second_min", load.per_second_min);
  return load;
}

CanaryLookEntry look_of(JsonFields& in) {
  CanaryLookEntry look;
  in.require("passed");
  in.text("class", look.stall_class);
  in.text("signature", look.signature);
  in.maybe("injected_ms", look.injected_ms);
  in.maybe("detected_ms", look.detected_ms);
  in.maybe("explained_ms", look.explained_ms);
  in.maybe("resolved_ms", look.resolved_ms);
  in.maybe("healed_ms", look.healed_ms);
  in.count("captured", look.captured);
  in.text("evidence", look.evidence);
  in.flag("passed", look.passed);
  in.text("why", look.why);
  return look;
}

CanaryEntry canary_of(JsonFields& in) {
  CanaryEntry canary;
  in.require("passed");
  in.flag("passed", canary.passed);
  in.text("fault", canary.fault);
  in.text("place", canary.place);
  in.text("problem", canary.problem);
  in.amount("stall_after_ms", canary.stall_after_ms);
  for (const char* when : {"before", "beside", "after"})
    in.object(when, [&](JsonFields& below) { canary.looks[when] = look_of(below); });
  return canary;
}

MarkEntry mark_of(JsonFields& in) {
  MarkEntry mark;
  in.text("text", mark.text);
  in.amount("start_ms", mark.start_ms);
  in.amount("end_ms", mark.end_ms);
  in.maybe("allow_ms", mark.allow_ms);
  return mark;
}

void read_observer(JsonFields& in, ObserverEntry& observer) {
  in.text("lens", observer.lens);
  in.amount("loop_lag_max_ms", observer.loop_lag_max_ms);
  in.amount("tick_max_ms", observer.tick_max_ms);
  in.amount("tick_max_in_stall_ms", observer.tick_max_in_stall_ms);
  in.amount("cpu_percent", observer.cpu_percent);
  in.count("rss_kib", observer.rss_kib);
  in.count("scans", observer.scans);
  in.amount("scan_max_ms", observer.scan_max_ms);
  in.count("scan_failures", observer.scan_failures);
  in.count("gaps", observer.gaps);
  in.amount("gaps_ms", observer.gaps_ms);
  in.amount("suspended_ms", observer.suspended_ms);
  in.count("kmsg_lost", observer.kmsg_lost);
  in.count("probe_timeouts", observer.probe_timeouts);
  in.count("events_dropped", observer.events_dropped);
  in.texts("blind_spots", observer.blind_spots);
  in.object("canary", [&](JsonFields& below) { observer.canary = canary_of(below); });
}

ThresholdsEntry limits_of(const JsonFields& in) {
  ThresholdsEntry limits;
  in.amount("stall_after_ms", limits.stall_after_ms);
  in.amount("fail_after_ms", limits.fail_after_ms);
  in.amount("dropout_below", limits.dropout_below);
  in.maybe("max_dropouts", limits.max_dropouts);
  in.maybe("max_dropout_seconds", limits.max_dropout_seconds);
  in.maybe("min_ops", limits.min_ops);
  return limits;
}

void read_target(JsonFields& in, Verdict& verdict) {
  in.text("path", verdict.target_path);
  in.text("fstype", verdict.target_fstype);
  in.text("source", verdict.target_source);
  in.each("modules", [&](JsonFields& below) {
    ModuleEntry module;
    below.text("name", module.name);
    below.text("version", module.version);
    below.text("srcversion", module.srcversion);
    below.flag("built_in", module.built_in);
    verdict.target_modules.push_back(module);
  });
  in.object("server", [&](JsonFields& below) {
    FsServerEntry& server = verdict.target_server.emplace();
    below.whole("pid", server.pid);
    below.text("comm", server.comm);
    below.text("exe", server.exe);
  });
}

void read_timings(JsonFields& in, TimingEntry& timings) {
  in.maybe("armed_ms", timings.armed_ms);
  in.maybe("last_op_ms", timings.last_op_ms);
  in.maybe("detected_ms", timings.detected_ms);
  in.maybe("explained_ms", timings.explained_ms);
  in.maybe("heal_asked_ms", timings.heal_asked_ms);
  in.maybe("healed_ms", timings.healed_ms);
}

void read_captures(JsonFields& in, CapturesEntry& captures) {
  in.text("policy", captures.policy);
  in.count("taken", captures.taken);
  in.texts("problems", captures.problems);
  in.text_or_null("crash", captures.crash);
}

// Who ran what, where and when.
void read_identity(JsonFields& in, Verdict& verdict) {
  in.text("run", verdict.run);
  in.text("scenario", verdict.scenario);
  in.texts("settings", verdict.settings);
  in.whole("exit_code", verdict.exit_code);
  in.texts("reasons", verdict.reasons);
  in.texts("labels", verdict.labels);
  in.text("node", verdict.node);
  in.text("kernel", verdict.kernel);
  in.text("tool_version", verdict.tool_version);
  in.text("started", verdict.started);
  in.text("ended", verdict.ended);
  in.amount("duration_s", verdict.duration_s);
  std::string word;
  in.text("verdict", word);
  if (const auto outcome = outcome_of(word))
    verdict.outcome = *outcome;
  else
    in.refuse("verdict", fmt::format("'{}' is neither pass, fail nor unknown", on_one_line(word)));
}

void read_lists(JsonFields& in, Verdict& verdict) {
  in.each("stalls", [&](JsonFields& below) { verdict.stalls.push_back(stall_of(below)); });
  in.each("marks", [&](JsonFields& below) { verdict.marks.push_back(mark_of(below)); });
  in.each("dropouts", [&](JsonFields& below) { verdict.dropouts.push_back(dropout_of(below)); });
  in.each("suspected",
          [&](JsonFields& below) { verdict.suspected.push_back(suspected_of(below)); });
  in.each_named("workloads", [&](const std::string& name, JsonFields& below) {
    verdict.workloads[name] = workload_of(below);
  });
  in.count("stalls_not_listed", verdict.stalls_not_listed);
  in.count("dropouts_not_listed", verdict.dropouts_not_listed);
  in.texts("left_behind", verdict.left_behind);
  read_fleet(in, verdict.fleet);
}

void read_figures(JsonFields& in, Verdict& verdict) {
  in.object("target", [&](JsonFields& below) { read_target(below, verdict); });
  in.object("thresholds",
            [&](JsonFields& below) { set_thresholds(read_thresholds(below), verdict); });
  in.object("observer", [&](JsonFields& below) { read_observer(below, verdict.observer); });
  in.object("timings", [&](JsonFields& below) { read_timings(below, verdict.timings); });
  in.object("captures", [&](JsonFields& below) { read_captures(below, verdict.captures); });
  in.object("hazard", [&](JsonFields& below) {
    HazardEntry hazard;
    below.count("entered", hazard.entered);
    below.maybe("per_second_min", hazard.per_second_min);
    verdict.hazard = hazard;
  });
  in.object("ffs", [&](JsonFields& below) {
    ServiceEntry service;
    below.count("page_reads", service.page_reads);
    below.count("direct_reads", service.direct_reads);
    below.maybe("page_reads_per_second_min", service.page_reads_per_second_min);
    below.maybe("direct_reads_per_second_min", service.direct_reads_per_second_min);
    verdict.service = service;
  });
  in.maybe("command_exit", verdict.command_exit);
}

void check_schema(JsonFields& in) {
  std::uint64_t schema = 0;
  in.require("schema");
  in.count("schema", schema);
  if (schema == 0 || schema > kVerdictSchema)
    in.refuse("schema", fmt::format("{} is unknown to this version, which reads 1 to {} (take the "
                                    "stallproof that wrote it, or a newer one)",
                                    schema, kVerdictSchema));
}

}  // namespace

RunThresholds read_thresholds(const JsonFields& in) {
  RunThresholds thresholds{.usual = limits_of(in), .loads = {}};
  in.each_named("loads", [&](const std::string& name, const JsonFields& below) {
    thresholds.loads[name] = limits_of(below);
  });
  return thresholds;
}

std::optional<Outcome> outcome_of(std::string_view name) {
  for (const Outcome outcome : {Outcome::pass, Outcome::fail, Outcome::unknown})
    if (name == outcome_name(outcome)) return outcome;
  return std::nullopt;
}

Result<Verdict> parse_verdict(std::string_view text, const std::string& name) {
  const auto document = parse_json_object(text, name);
  if (!document) return Failure(document.error());
  std::string problem;
  Verdict verdict;
  JsonFields in(*document, "", problem);
  check_schema(in);
  for (const char* key :
       {"run", "verdict", "exit_code", "duration_s", "stalls", "observer", "workloads"})
    in.require(key);
  read_identity(in, verdict);
  read_figures(in, verdict);
  read_lists(in, verdict);
  if (!problem.empty()) return fail(fmt::format("{}: {}", name, problem), Origin::infra);
  return verdict;
}

Result<Verdict> read_verdict(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return Failure(text.error());
  return parse_verdict(*text, path);
}

}  // namespace stallproof
