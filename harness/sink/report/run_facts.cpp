// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/run_facts.h"

#include <fmt/format.h>

#include <map>

#include "harness/base/markup.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

constexpr std::size_t kRowsShown = 200;
constexpr std::size_t kIncidentRows = 500;
constexpr std::size_t kStacksShown = 40;

std::string or_dash(const std::optional<double>& micros) {
  return micros ? micros_words(*micros) : "–";
}

std::string modules_of(const Verdict& verdict) {
  std::string words;
  for (const ModuleEntry& module : verdict.target_modules)
    words +=
        fmt::format("{}{} {} {}", words.empty() ? "" : "; ", module.name,
                    module.built_in ? "built into the kernel" : module.version, module.srcversion);
  return words;
}

std::string server_of(const Verdict& verdict) {
  if (!verdict.target_server) return {};
  const FsServerEntry& server = *verdict.target_server;
  return fmt::format("{} (pid {}) {}", server.comm, server.pid, server.exe);
}

std::string canary_words(const ObserverEntry& observer) {
  if (!observer.canary) return "none was injected";
  const CanaryEntry& canary = *observer.canary;
  return canary.passed ? fmt::format("passed: {}", canary.fault)
                       : fmt::format("FAILED: {}: {}", canary.fault, canary.problem);
}

std::string labels_of(const Verdict& verdict) {
  std::string words;
  for (const auto& [key, value] : verdict.labels)
    words += fmt::format("{}{}={}", words.empty() ? "" : ", ", key, value);
  return words;
}

std::string limits_words(double stall_after_ms, double fail_after_ms, double dropout_below) {
  return fmt::format("a stall after {}, failing after {}, a dropout below {:g} % of the median",
                     span_words(stall_after_ms / 1e3), span_words(fail_after_ms / 1e3),
                     dropout_below * 100);
}

std::vector<std::string> incident_row(const ReportIncident& incident, const TimeAxis& axis) {
  const auto& entry = incident.entry;
  const double onset = entry ? entry->onset_ms : incident.stored.onset_ms;
  const auto over = entry ? entry->resolved_ms : incident.stored.resolved_ms;
  return {incident.stored.id,
          incident.stored.stall_class,
          axis.moment(onset / 1e3),
          over ? span_words((*over - onset) / 1e3) : "never resolved",
          entry ? (entry->failing ? "yes" : "no") : "not judged",
          incident.stored.signature};
}

}  // namespace

std::vector<Fact> head_facts(const Verdict& verdict) {
  return {{"Target",
           verdict.target_path +
               (verdict.target_fstype.empty() ? "" : fmt::format(" ({})", verdict.target_fstype))},
          {"Scenario", verdict.scenario},
          {"Node", verdict.node},
          {"Kernel", verdict.kernel},
          {"Started", verdict.started},
          {"Lasted", span_words(verdict.duration_s)},
          {"Labels", labels_of(verdict)}};
}

std::vector<Fact> machine_facts(const RunContents& contents) {
  std::vector<Fact> facts;
  if (const auto& machine = contents.run.environment) {
    facts = {{"Node", machine->node},
             {"Kernel", machine->kernel + " " + machine->kernel_version},
             {"Machine", fmt::format("{}, {} CPUs", machine->machine, machine->cpus)},
             {"stallproof", machine->tool_version}};
  }
  if (const auto& verdict = contents.run.verdict) {
    facts.push_back({"Target", verdict->target_path});
    facts.push_back({"File system", verdict->target_fstype});
    facts.push_back({"Source", verdict->target_source});
    facts.push_back({"Modules", modules_of(*verdict)});
    facts.push_back({"File system's server", server_of(*verdict)});
    facts.push_back({"Started", verdict->started});
    facts.push_back({"Ended", verdict->ended});
  }
  facts.push_back({"Run directory", contents.run.directory});
  return facts;
}

std::vector<Fact> observer_facts(const Verdict& verdict) {
  const ObserverEntry& observer = verdict.observer;
  return {{"Sight", observer.lens == "bpf" ? "BPF iterators: exact owners and queues"
                                           : observer.lens + ": stacks and names only"},
          {"Blind spots", joined_words(observer.blind_spots, "; ")},
          {"Longest lag of its loop", fmt::format("{:.1f} ms", observer.loop_lag_max_ms)},
          {"Longest look", fmt::format("{:.1f} ms", observer.tick_max_ms)},
          {"Times it was not run",
           fmt::format("{} ({} together)", observer.gaps, span_words(observer.gaps_ms / 1e3))},
          {"Scans of the kernel", fmt::format("{}, longest {:.1f} ms, {} failed", observer.scans,
                                              observer.scan_max_ms, observer.scan_failures)},
          {"Kernel log records lost", fmt::format("{}", observer.kmsg_lost)},
          {"Probes that timed out", fmt::format("{}", observer.probe_timeouts)},
          {"Events dropped", fmt::format("{}", observer.events_dropped)},
          {"Canary", canary_words(observer)},
          {"Its cost", fmt::format("{:.2f} % of a processor, {}", observer.cpu_percent,
                                   bytes_words(observer.rss_kib * 1024))},
          {"Captures",
           fmt::format("--on-stall {}: {} files", verdict.captures.policy, verdict.captures.taken)},
          {"Captures that failed", joined_words(verdict.captures.problems, "; ")}};
}

std::string thresholds_words(const Verdict& verdict) {
  return limits_words(verdict.stall_after_ms, verdict.fail_after_ms, verdict.dropout_below);
}

std::vector<std::string> own_thresholds(const Verdict& verdict) {
  std::vector<std::string> lines;
  for (const auto& [name, own] : verdict.load_thresholds)
    lines.push_back(fmt::format(
        "{}: {}", name, limits_words(own.stall_after_ms, own.fail_after_ms, own.dropout_below)));
  return lines;
}

std::string dropout_words(const Verdict& verdict) {
  double all_ms = 0;
  for (const DropoutEntry& dropout : verdict.dropouts) all_ms += dropout.duration_ms;
  return fmt::format("{} dropout{}, {} together", verdict.dropouts.size(),
                     verdict.dropouts.size() == 1 ? "" : "s", span_words(all_ms / 1e3));
}

ReportTable dropout_table(const RunContents& contents) {
  const TimeAxis axis = axis_of(contents);
  ReportTable table{
      .caption = "Throughput below the threshold for at least 2 s while work was offered",
      .headings = {"load", "began", "lasted", "lowest, % of median"},
      .numbers = {false, false, true, true}};
  for (const DropoutEntry& dropout : contents.run.verdict->dropouts)
    if (table.rows.size() < kRowsShown)
      table.rows.push_back({dropout.workload, axis.moment(dropout.start_ms / 1e3),
                            span_words(dropout.duration_ms / 1e3),
                            fmt::format("{:.1f}", dropout.min_ratio * 100)});
  return table;
}

ReportTable suspected_table(const RunContents& contents) {
  const TimeAxis axis = axis_of(contents);
  ReportTable table{
      .caption = "Suspected: no completion, but nobody was seen blocked; never judged",
      .headings = {"load", "since", "until"}};
  for (const SuspectedEntry& each : contents.run.verdict->suspected)
    if (table.rows.size() < kRowsShown)
      table.rows.push_back({each.workload, axis.moment(each.since_ms / 1e3),
                            each.until_ms ? axis.moment(*each.until_ms / 1e3) : "the end"});
  return table;
}

ReportTable window_table(const RunContents& contents) {
  const TimeAxis axis = axis_of(contents);
  ReportTable table{.caption = "Injections, canaries, marks, observer gaps and captures",
                    .headings = {"began", "lasted", "what", "text"},
                    .numbers = {false, true, false, false}};
  for (const RunWindow& window : contents.windows)
    if (table.rows.size() < kRowsShown)
      table.rows.push_back({axis.moment(window.start_ms / 1e3),
                            span_words((window.end_ms - window.start_ms) / 1e3), window.kind,
                            window.text});
  return table;
}

ReportTable incident_table(const RunContents& contents) {
  const TimeAxis axis = axis_of(contents);
  ReportTable table{.caption = "All incidents of this run",
                    .headings = {"incident", "class", "began", "lasted", "failing", "signature"},
                    .numbers = {false, false, false, true, false, false}};
  for (const ReportIncident& incident : contents.incidents)
    if (table.rows.size() < kIncidentRows) table.rows.push_back(incident_row(incident, axis));
  return table;
}

ReportTable load_table(const Verdict& verdict) {
  ReportTable table{.caption = "What each load did in the whole run",
                    .headings = {"load", "operations", "bytes", "errors", "wrong data", "median",
                                 "99 %", "largest", "slowest second"},
                    .numbers = {false, true, true, true, true, true, true, true, true}};
  for (const auto& [name, load] : verdict.workloads)
    table.rows.push_back({name, fmt::format("{}", load.ops), bytes_words(load.bytes),
                          fmt::format("{}", load.errors), fmt::format("{}", load.mismatches),
                          or_dash(load.p50_us), or_dash(load.p99_us), or_dash(load.max_us),
                          load.per_second_min ? fmt::format("{}/s", *load.per_second_min) : "–"});
  return table;
}

ReportTable settings_table(const Verdict& verdict) {
  ReportTable table{.caption = "As it was run", .headings = {"setting", "value"}};
  for (const auto& [key, value] : verdict.settings) table.rows.push_back({key, value});
  return table;
}

std::string shown_plan(const RunContents& contents) {
  return contents.run.plan.substr(0, 64U << 10U);
}

std::string stacks_text(const Explanation& explanation) {
  std::vector<std::pair<std::string, std::string>> groups;  // stack, tasks
  std::map<std::string, std::size_t> known;
  for (const ExplainedNode& node : explanation.nodes) {
    if (node.stack.empty()) continue;
    std::string stack;
    for (std::size_t i = 0; i < node.stack.size() && i < kFramesShown; ++i)
      stack += "  " + node.stack[i] + "\n";
    const auto [at, fresh] = known.emplace(stack, groups.size());
    const std::string task = fmt::format("{} ({})", node.label, node.state);
    if (fresh)
      groups.emplace_back(stack, task);
    else
      groups[at->second].second += ", " + task;
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size() && i < kStacksShown; ++i)
    text += groups[i].second + "\n" + groups[i].first;
  if (groups.size() > kStacksShown)
    text += fmt::format("… {} more, see stacks.txt\n", groups.size() - kStacksShown);
  return text;
}

std::string seen_by_words(const StoredIncident& stored) {
  if (stored.support.empty() && stored.detectors.empty()) return {};
  const auto& seers = stored.detectors.empty() ? stored.sources : stored.detectors;
  return fmt::format("Seen by: {}.", joined_words(seers, ", ")) +
         (stored.loads.empty()
              ? ""
              : fmt::format(" Loads that stood: {}.", joined_words(stored.loads, ", ")));
}

std::string evidence_path(const ReportIncident& incident, const EvidenceFile& file) {
  return fmt::format("incidents/{}/{}", incident.stored.id, file.name);
}

std::vector<std::string> incident_commands(const ReportIncident& incident,
                                           const RunContents& contents) {
  std::vector<std::string> commands;
  if (std::string again = rerun_command(contents); !again.empty())
    commands.push_back(std::move(again));
  commands.push_back(
      "stallproof explain " +
      shell_word(fmt::format("{}/incidents/{}", contents.run.directory, incident.stored.id)));
  return commands;
}

std::string joined_words(const std::vector<std::string>& words, const char* between) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : between) + word;
  return all;
}

}  // namespace stallproof
