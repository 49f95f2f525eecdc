// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_of_observer.h"

#include <algorithm>
#include <map>

namespace stallproof {
namespace {

// Older than this and nobody looks any more: what the last scan found is not how it is now.
constexpr std::uint64_t kSightIsOld = 5'000'000'000;

void counter(FamilyList& list, const char* name, const char* help, double value) {
  put(list.add(MetricType::counter, name, help), value);
}

void gauge(FamilyList& list, const char* name, const char* help, double value) {
  put(list.add(MetricType::gauge, name, help), value);
}

double count(std::uint64_t number) { return static_cast<double>(number); }

void add_watchdog(const ObserverFigures& observer, FamilyList& list) {
  gauge(list, "stallproof_watchdog_loop_lag_seconds", "Longest delay of a look so far.",
        observer.loop_lag_max_s);
  counter(list, "stallproof_watchdog_scans_total", "Scans of the kernel's tasks.",
          count(observer.scans));
  counter(list, "stallproof_watchdog_scan_failures_total", "Scans that failed.",
          count(observer.scan_failures));
  gauge(list, "stallproof_watchdog_scan_max_seconds", "Longest scan so far.", observer.scan_max_s);
  counter(list, "stallproof_observer_gaps_total", "Times the watchdog was not run.",
          count(observer.gaps));
  counter(list, "stallproof_observer_gap_seconds_total", "How long it was not run.",
          observer.gaps_s);
  counter(list, "stallproof_watchdog_events_dropped_total", "Findings that were lost.",
          count(observer.events_dropped));
  counter(list, "stallproof_kmsg_records_total", "Records of the kernel log read.",
          count(observer.kmsg_records));
  counter(list, "stallproof_kmsg_lost_records_total",
          "Records of the kernel log that were lost before they were read.",
          count(observer.kmsg_lost));
  MetricFamily& events = list.add(MetricType::counter, "stallproof_kmsg_events_total",
                                  "Records of the kernel log that tell of trouble, by kind.");
  for (const auto& [kind, number] : observer.kmsg_events)
    put(events, count(number), {{"kind", kind}});
  gauge(list, "stallproof_blind_spots", "Things that cannot be seen here.",
        count(observer.blind_spots.size()));
}

void add_machine(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const SystemFigures& system = picture.figures.system;
  if (system.hung_tasks)
    counter(list, "stallproof_kernel_hung_tasks_total",
            "Tasks that the kernel's own detector has found since boot.",
            count(*system.hung_tasks));
  counter(list, "stallproof_io_pressure_stalled_seconds_total",
          "Time in which all tasks waited for I/O (/proc/pressure/io, full).",
          system.io_pressure_stalled_s);
  const std::uint64_t beat = picture.figures.observer.heartbeat_ns;
  if (beat == 0 || now.monotonic_ns > beat + kSightIsOld) return;
  MetricFamily& blocked = list.add(MetricType::gauge, "stallproof_blocked_tasks",
                                   "Tasks of the loads that stand where they are, by state.");
  put(blocked, system.blocked_tasks - std::min(system.blocked_tasks, system.blocked_killable),
      {{"state", "D"}});
  put(blocked, system.blocked_killable, {{"state", "D_killable"}});
  put(blocked, system.asleep_in_calls, {{"state", "S_fs"}});
  if (!picture.figures.mmap_lock.seen) return;
  const LockFigures& lock = picture.figures.mmap_lock;
  MetricFamily& waiters =
      list.add(MetricType::gauge, "stallproof_lock_waiters",
               "Tasks of this machine that wait for a lock, as of the last scan.");
  put(waiters, lock.read_waiters, {{"lock", "mmap_lock"}, {"mode", "read"}});
  put(waiters, lock.write_waiters, {{"lock", "mmap_lock"}, {"mode", "write"}});
  put(list.add(MetricType::gauge, "stallproof_lock_wait_oldest_seconds",
               "How long the longest of them has waited, at least."),
      lock.oldest_wait_s, {{"lock", "mmap_lock"}});
}

// What the controller says of itself while the run goes on, and at the end the verdict.
void add_health(const RunPicture& picture, FamilyList& list) {
  const HealthNews& health = picture.health;
  const RunEnd end = picture.end.value_or(RunEnd{});
  std::map<std::string, std::uint64_t> timeouts{{"stack", 0}, {"io", 0}, {"other", 0}};
  std::uint64_t known = 0;
  for (const auto& [file, number] : health.probe_timeouts) {
    timeouts[timeouts.contains(file) ? file : "other"] += number;
    known += number;
  }
  timeouts["other"] += std::max(end.probe_timeouts, known) - known;
  MetricFamily& family = list.add(MetricType::counter, "stallproof_probe_timeouts_total",
                                  "Reads of /proc that did not answer, by file.");
  for (const auto& [file, number] : timeouts) put(family, count(number), {{"probe", file}});
  gauge(list, "stallproof_left_behind", "Things that could not be undone.",
        count(std::max(health.left_behind, end.left_behind)));
  gauge(list, "stallproof_unkillable_children", "Own processes that could not be ended.",
        count(std::max(health.unkillable, end.unkillable)));
}

bool mark_is_open(const RunPicture& picture, const MetricsMoment& now) {
  const double now_ms = run_ms(picture, now);
  return picture.active &&
         std::any_of(picture.marks.begin(), picture.marks.end(), [now_ms](const MarkNews& mark) {
           return mark.start_ms <= now_ms && now_ms <= mark.end_ms;
         });
}

}  // namespace

void add_observer_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const std::uint64_t beat = picture.figures.observer.heartbeat_ns;
  if (beat != 0)
    gauge(list, "stallproof_heartbeat_timestamp_seconds", "Last look of the watchdog, Unix time.",
          unix_time(beat, now));
  const std::uint64_t taken = std::min(picture.figures.taken_ns, now.monotonic_ns);
  gauge(list, "stallproof_sample_age_seconds", "Age of the figures of this scrape.",
        count(now.monotonic_ns - taken) / 1e9);
  add_watchdog(picture.figures.observer, list);
  add_machine(picture, now, list);
  counter(list, "stallproof_sight_lost_total",
          "Times the watchdog ended, fell silent or was not run.", count(picture.sight_lost));
  add_health(picture, list);
  MetricFamily& injections = list.add(MetricType::gauge, "stallproof_injection_active",
                                      "1 while a disturbance is made on purpose, by what.");
  put(injections, picture.canary ? 1 : 0, {{"nemesis", "canary"}});
  put(injections, mark_is_open(picture, now) ? 1 : 0, {{"nemesis", "mark"}});
}

}  // namespace stallproof
