// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "harness/base/markup.h"
#include "harness/sink/report/sections.h"
#include "harness/sink/report/words.h"

namespace stallproof {
namespace {

std::string or_dash(const std::optional<double>& micros) {
  return micros ? micros_words(*micros) : "–";
}

std::string settings_table(const Verdict& verdict) {
  if (verdict.settings.empty()) return {};
  HtmlTable table{.caption = "As it was run", .headings = {"setting", "value"}};
  for (const auto& [key, value] : verdict.settings) table.rows.push_back({key, value});
  return "<details><summary>Settings</summary>\n" + html_table(table) + "</details>\n";
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

std::string one_line(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : "; ") + word;
  return all;
}

}  // namespace

std::string loads_section(const RunContents& contents) {
  std::string out = "<section id=\"loads\">\n<h2>Loads</h2>\n";
  if (!contents.run.verdict || contents.run.verdict->workloads.empty())
    return out + "<p>The verdict tells of none.</p>\n</section>\n";
  const Verdict& verdict = *contents.run.verdict;
  HtmlTable table{.caption = "What each load did in the whole run",
                  .headings = {"load", "operations", "bytes", "errors", "wrong data", "median",
                               "99 %", "largest", "slowest second"},
                  .numbers = {false, true, true, true, true, true, true, true, true}};
  for (const auto& [name, load] : verdict.workloads)
    table.rows.push_back({name, fmt::format("{}", load.ops), bytes_words(load.bytes),
                          fmt::format("{}", load.errors), fmt::format("{}", load.mismatches),
                          or_dash(load.p50_us), or_dash(load.p99_us), or_dash(load.max_us),
                          load.per_second_min ? fmt::format("{}/s", *load.per_second_min) : "–"});
  out += html_table(table);
  if (verdict.command_exit)
    out += fmt::format("<p>The command ended with {}.</p>\n", *verdict.command_exit);
  return out + "</section>\n";
}

std::string machine_section(const RunContents& contents) {
  std::string out = "<section id=\"machine\">\n<h2>Environment</h2>\n";
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
  out += facts.size() > 1 ? fact_list(facts) : "<p>Not told.</p>\n";
  if (contents.run.verdict) out += settings_table(*contents.run.verdict);
  if (!contents.run.plan.empty())
    out += fmt::format("<details><summary>plan.toml</summary>\n<pre>{}</pre></details>\n",
                       escaped_markup(std::string_view(contents.run.plan).substr(0, 64U << 10U)));
  return out + "</section>\n";
}

std::string observer_section(const RunContents& contents) {
  std::string out = "<section id=\"observer\">\n<h2>How well it was watched</h2>\n";
  if (!contents.run.verdict) return out + "<p>Not told.</p>\n</section>\n";
  const ObserverEntry& observer = contents.run.verdict->observer;
  out += fact_list(
      {{"Sight", observer.lens == "bpf" ? "BPF iterators: exact owners and queues"
                                        : observer.lens + ": stacks and names only"},
       {"Blind spots", one_line(observer.blind_spots)},
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
       {"Captures", fmt::format("--on-stall {}: {} files", contents.run.verdict->captures.policy,
                                contents.run.verdict->captures.taken)},
       {"Captures that failed", one_line(contents.run.verdict->captures.problems)}});
  return out + "</section>\n";
}

}  // namespace stallproof
