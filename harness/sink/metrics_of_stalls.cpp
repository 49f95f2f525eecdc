// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_of_stalls.h"

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

constexpr std::array kSources{"no-progress", "stuck-op", "blocked-tasks", "lock-cycle", "other"};

template <class Key>
double count_of(const std::map<Key, std::uint64_t>& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : static_cast<double>(found->second);
}

void add_counts(const StallLedger& stalls, FamilyList& list) {
  MetricFamily& detected = list.add(MetricType::counter, "stallproof_stalls_detected_total",
                                    "Incidents, counted when they are detected.");
  for (const std::string source : kSources)
    put(detected, count_of(stalls.by_source(), source), {{"source", source}});
  MetricFamily& settled = list.add(MetricType::counter, "stallproof_stalls_total",
                                   "The same, counted once it is clear of which class they are.");
  for (const auto& [name, now] : stalls.active())
    for (const std::string source : kSources)
      put(settled, count_of(stalls.settled(), {name, source}),
          {{"class", name}, {"source", source}});
  put(list.add(MetricType::counter, "stallproof_lock_cycles_total",
               "Incidents in which tasks wait for each other in a circle."),
      static_cast<double>(stalls.circles()));
}

// The longest that a stall which begins now, or stands, may last by the marks of the run.
double allowed_ms(const RunPicture& picture, double now_ms) {
  double longest = picture.stalls.longest_allowed_ms(now_ms);
  for (const MarkNews& mark : picture.marks)
    if (mark.allow_ms && mark.start_ms <= now_ms && now_ms <= mark.end_ms)
      longest = std::max(longest, *mark.allow_ms);
  return longest;
}

void add_standing(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const double now_ms = run_ms(picture, now);
  MetricFamily& active = list.add(MetricType::gauge, "stallproof_stall_active",
                                  "Incidents that stand, by what they are explained as.");
  for (const auto& [name, count] : picture.stalls.active())
    put(active, static_cast<double>(count), {{"class", name}});
  MetricFamily& allowed = list.add(MetricType::gauge, "stallproof_stall_allowed",
                                   "Of those, incidents that a mark allows to stand by now.");
  for (const auto& [name, count] : picture.stalls.allowed(now_ms))
    put(allowed, static_cast<double>(count), {{"class", name}});
  put(list.add(MetricType::gauge, "stallproof_mark_allowed_seconds",
               "How long a stall that begins now, or stands, may last by a mark; 0: no mark."),
      picture.active ? allowed_ms(picture, now_ms) / 1e3 : 0);
  const auto onset = picture.stalls.oldest_onset_ms();
  put(list.add(MetricType::gauge, "stallproof_stall_age_seconds",
               "Since the onset of the oldest incident that stands, 0 when none does."),
      onset ? std::max(0.0, now_ms - *onset) / 1e3 : 0);
}

void add_lengths(const StallLedger& stalls, FamilyList& list) {
  MetricFamily& family = list.add(MetricType::histogram, "stallproof_stall_duration_seconds",
                                  "Onset to end of incidents that have ended.");
  family.edges.assign(kStallEdges.begin(), kStallEdges.end());
  family.samples.push_back({.labels = {},
                            .value = 0,
                            .counts = {stalls.durations().begin(), stalls.durations().end()},
                            .sum = stalls.durations_sum_s()});
}

void add_captures(const StallLedger& stalls, FamilyList& list) {
  MetricFamily& captures = list.add(MetricType::counter, "stallproof_capture_total",
                                    "What was taken of incidents, or could not be.");
  for (const char* kind : {"sources", "sysrq", "panic", "other"})
    for (const bool taken : {true, false}) {
      const auto found = stalls.captures().find({kind, taken});
      put(captures, found == stalls.captures().end() ? 0 : static_cast<double>(found->second),
          {{"kind", kind}, {"result", taken ? "taken" : "failed"}});
    }
}

}  // namespace

void add_stall_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  add_counts(picture.stalls, list);
  add_standing(picture, now, list);
  add_lengths(picture.stalls, list);
  add_captures(picture.stalls, list);
}

}  // namespace stallproof
