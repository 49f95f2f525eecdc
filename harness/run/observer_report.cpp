// SPDX-License-Identifier: Apache-2.0
#include "harness/run/observer_report.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/base/node_name.h"
#include "harness/base/units.h"
#include "harness/base/version.h"
#include "harness/run/plan/plan.h"

namespace stallproof {
namespace {

constexpr Nanos kHeartbeatLimit = kSecond;

double in_ms(const std::atomic<std::uint64_t>& ns) { return static_cast<double>(ns.load()) / 1e6; }

std::vector<std::string> blind_spots(const EvidenceArea& area,
                                     const std::vector<IncidentRecord>& incidents) {
  std::vector<std::string> spots;
  if (area.left_out[0] != '\0')
    spots.push_back(fmt::format("switched off by --without: {}", area.left_out.data()));
  if (area.scan_problem[0] != '\0')
    spots.push_back(fmt::format("locks, queues and FUSE requests: {}", area.scan_problem.data()));
  else if (area.fuse_problem[0] != '\0')
    spots.push_back(fmt::format("FUSE requests: {}", area.fuse_problem.data()));
  if (area.kmsg_problem[0] != '\0')
    spots.push_back(fmt::format("kernel log: {}", area.kmsg_problem.data()));
  if (area.target_problem[0] != '\0')
    spots.push_back(fmt::format("the target's threads: {}", area.target_problem.data()));
  if (area.system_problem[0] != '\0')
    spots.push_back(fmt::format("the machine as a whole: {}", area.system_problem.data()));
  if (const std::uint32_t disks = area.disks_left_out.load(); disks > 0)
    spots.push_back(fmt::format("{} disks: only {} are sampled", disks, kSystemDisks));
  if (area.protection_problem[0] != '\0')
    spots.push_back(fmt::format("whatever comes while the watchdog itself is stopped: {}",
                                area.protection_problem.data()));
  for (const IncidentRecord& incident : incidents) {
    if (!incident.explanation) continue;
    for (const std::string& spot : incident.explanation->blind_spots)
      if (std::find(spots.begin(), spots.end(), spot) == spots.end()) spots.push_back(spot);
  }
  return spots;
}

}  // namespace

void WatchdogFigures::begin(const Evidence& evidence, Nanos now) {
  began_ns = now;
  cpu_before_ns = evidence.area().health.cpu_ns.load();
  manager = ServiceManager::from_environment();
  manager.ready("watching");
}

bool WatchdogFigures::check_heartbeat(const Evidence& evidence, pid_t watchdog, Nanos now) {
  const Nanos beat = evidence.area().health.heartbeat_ns.load(std::memory_order_acquire);
  const Nanos age = beat != 0 && now > beat ? now - beat : 0;
  heartbeat_age_max_ns = std::max(heartbeat_age_max_ns, age);
  rescue.serve(watchdog, age, now);
  const bool silent = beat == 0 || age > kHeartbeatLimit;
  manager.alive(!silent, now);
  const bool turned = silent != told_silence;
  if (turned) manager.status(silent ? "the watchdog gives no sign of life" : "watching");
  told_silence = silent;
  return turned && silent && beat != 0;
}

void WatchdogFigures::take(const Evidence& evidence, pid_t watchdog, Nanos now) {
  const std::uint64_t used = evidence.area().health.cpu_ns.load();
  cpu_ns = used - std::min(used, cpu_before_ns);
  watched_ns = now - began_ns;
  manager.stopping();
  const auto status = read_file(fmt::format("/proc/{}/status", watchdog));
  const auto found = status ? status->find("VmRSS:") : std::string::npos;
  if (found != std::string::npos) rss_kib = std::strtoull(status->c_str() + found + 6, nullptr, 10);
}

StallEntry stall_entry(const IncidentRecord& incident, const RunClock& clock, Nanos fail_after) {
  const bool explained = incident.explanation.has_value();
  return {.id = incident.id(),
          .stall_class = incident.stall_class(),
          .signature = explained ? incident.explanation->signature : "unknown",
          .onset = clock.wall_clock(incident.onset_ns),
          .onset_ms = clock.ms(incident.onset_ns),
          .detected_ms = clock.ms(incident.detected_ns),
          .resolved_ms =
              incident.resolved_ns ? std::optional(clock.ms(*incident.resolved_ns)) : std::nullopt,
          .failing = incident.failing(fail_after),
          .sources = incident.sources(),
          .explanation = explained ? "incidents/" + incident.id() + "/explanation.json" : "",
          .marked = incident.marked};
}

void note_unlisted(Verdict& verdict, const Unlisted& unlisted) {
  verdict.stalls_not_listed = unlisted.stalls;
  verdict.dropouts_not_listed = unlisted.dropouts;
  if (unlisted.stalls > 0)
    verdict.reasons.push_back(
        fmt::format("{} more stalls are counted and not listed, the longest {} (events.jsonl has "
                    "all of them)",
                    unlisted.stalls, format_duration(unlisted.longest_ns)));
  if (unlisted.dropouts > 0)
    verdict.reasons.push_back(
        fmt::format("{} more dropouts are counted and not listed", unlisted.dropouts));
}

std::vector<DropoutEntry> dropout_entries(const std::vector<DropoutRecord>& dropouts,
                                          const std::vector<std::string>& load_names,
                                          const RunClock& clock, Nanos end_ns) {
  std::vector<DropoutEntry> entries;
  for (const DropoutRecord& dropout : dropouts) {
    const Nanos until = std::max(dropout.until_ns.value_or(end_ns), dropout.since_ns);
    entries.push_back(
        {.workload = dropout.load < load_names.size() ? load_names[dropout.load] : "unknown",
         .start_ms = clock.ms(dropout.since_ns),
         .duration_ms = static_cast<double>(until - dropout.since_ns) / 1e6,
         .min_ratio = dropout.ratio});
  }
  return entries;
}

ObserverEntry observer_entry(const Evidence& evidence, const WatchdogFigures& figures,
                             const std::vector<IncidentRecord>& incidents) {
  const EvidenceArea& area = evidence.area();
  const WatchdogHealth& health = area.health;
  ObserverEntry observer;
  observer.lens = area.scan_problem[0] == '\0' ? "bpf" : "proc";
  observer.loop_lag_max_ms = in_ms(health.lag_max_ns);
  observer.tick_max_ms = in_ms(health.tick_max_ns);
  observer.tick_max_in_stall_ms = in_ms(health.tick_max_in_stall_ns);
  if (figures.watched_ns != 0)
    observer.cpu_percent =
        100.0 * static_cast<double>(figures.cpu_ns) / static_cast<double>(figures.watched_ns);
  observer.rss_kib = figures.rss_kib;
  observer.scans = health.scans.load();
  observer.scan_max_ms = in_ms(health.scan_max_ns);
  observer.scan_failures = health.scan_failures.load();
  observer.gaps = health.gaps.load();
  observer.gaps_ms = in_ms(health.gap_ns);
  observer.suspended_ms = in_ms(health.suspended_ns);
  observer.kmsg_lost = health.kmsg_lost.load();
  observer.probe_timeouts = figures.probe_timeouts;
  observer.events_dropped = health.events_dropped.load();
  observer.blind_spots = blind_spots(area, incidents);
  return observer;
}

std::vector<std::string> impairments(const Evidence& evidence, const WatchdogFigures& figures) {
  std::vector<std::string> found;
  const WatchdogHealth& health = evidence.area().health;
  const auto count = [&found](std::uint64_t number, const char* what) {
    if (number > 0) found.push_back(fmt::format("{} {}", number, what));
  };
  if (const char* left_out = evidence.area().left_out.data(); left_out[0] != '\0')
    found.push_back(fmt::format("switched off by --without: {}", left_out));
  if (health.ticks.load() == 0) found.emplace_back("the watchdog never looked");
  if (figures.heartbeat_age_max_ns > kHeartbeatLimit)
    found.push_back(fmt::format("the watchdog gave no sign of life for {}",
                                format_duration(figures.heartbeat_age_max_ns)));
  if (health.suspended_ns.load() > 0)
    found.push_back(fmt::format("the machine was suspended for {}",
                                format_duration(health.suspended_ns.load())));
  if (health.gaps.load() > 0)
    found.push_back(fmt::format("the watchdog was not run {} times, {} in all (observer gap)",
                                health.gaps.load(), format_duration(health.gap_ns.load())));
  if (health.events_dropped.load() + health.findings_dropped.load() > 0)
    found.emplace_back("findings of the watchdog were lost");
  count(health.scan_failures.load(), "scans of the kernel's tasks failed");
  count(health.scans_truncated.load(), "scans of the kernel's tasks were cut");
  count(health.kmsg_lost.load(), "records of the kernel log were lost");
  count(figures.probe_timeouts, "reads of /proc did not answer");
  return found;
}

std::string take_gap(const WatchEvent& event, RunClock& clock) {
  if (event.suspended_ns == 0) return "the watchdog was not run for a while";
  clock.suspends.push_back({.at_ns = event.at_ns, .lasted_ns = event.suspended_ns});
  return fmt::format("the machine was suspended for {}", format_duration(event.suspended_ns));
}

void describe_run(Verdict& verdict, const RunClock& clock, const Thresholds& thresholds) {
  utsname name{};
  ::uname(&name);
  const Nanos ended = monotonic_now();
  verdict.node = node_name();
  verdict.kernel = name.release;
  verdict.tool_version = tool_version();
  set_thresholds(run_thresholds(thresholds), verdict);
  verdict.started = clock.wall_clock(clock.monotonic_ns);
  verdict.ended = clock.wall_clock(ended);
  verdict.duration_s = clock.ms(ended) / 1e3;
}

std::string panic_danger() {
  const auto panic = read_file("/proc/sys/kernel/hung_task_panic");
  const auto after = read_file("/proc/sys/kernel/hung_task_timeout_secs");
  if (!panic || !after || panic->starts_with("0") || after->starts_with("0")) return {};
  return fmt::format(
      "kernel.hung_task_panic is set: a task that is blocked for {} s crashes this machine (sysctl "
      "kernel.hung_task_panic=0)",
      after->substr(0, after->find('\n')));
}

std::string environment_json(const std::string& coordination) {
  utsname name{};
  ::uname(&name);
  const nlohmann::ordered_json document = {
      {"schema", 1},
      {"node", node_name()},
      {"kernel", name.release},
      {"kernel_version", name.version},
      {"machine", name.machine},
      {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
      {"tool_version", std::string(tool_version())},
      {"coordination", nlohmann::ordered_json::parse(coordination, nullptr, false)}};
  return document.dump(2) + "\n";
}

}  // namespace stallproof
