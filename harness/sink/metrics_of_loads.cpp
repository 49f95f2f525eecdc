// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_of_loads.h"

#include <algorithm>

namespace stallproof {
namespace {

using Lines = std::map<std::string, LoadLine>;

MetricLabels of(const std::string& workload, const LoadLine& line) {
  MetricLabels labels{{"workload", workload}};
  if (!line.target.empty()) labels.emplace_back("target", line.target);
  return labels;
}

MetricLabels of(const std::string& workload, const LoadLine& line, const char* key,
                const std::string& value) {
  MetricLabels labels = of(workload, line);
  labels.emplace_back(key, value);
  return labels;
}

template <class Value>
void add_each(const Lines& lines, bool own_only, MetricFamily& family, const Value& value) {
  for (const auto& [label, line] : lines)
    if (line.own || !own_only) put(family, static_cast<double>(value(line)), of(label, line));
}

template <class Value>
void add_kinds(const Lines& lines, bool own_only, MetricFamily& family, const Value& value) {
  for (const auto& [label, line] : lines)
    for (const auto& [kind, counts] : line.kinds)
      if (line.own || !own_only)
        put(family, static_cast<double>(value(counts)), of(label, line, "op", kind));
}

void add_counts(const Lines& lines, FamilyList& list) {
  add_kinds(lines, false,
            list.add(MetricType::counter, "stallproof_ops_total",
                     "Operations completed, also those that failed."),
            [](const OpCounts& counts) { return counts.ops; });
  add_kinds(lines, true,
            list.add(MetricType::counter, "stallproof_bytes_total", "Bytes read and written."),
            [](const OpCounts& counts) { return counts.bytes; });
  MetricFamily& errors = list.add(MetricType::counter, "stallproof_op_errors_total",
                                  "Operations that failed, by reason.");
  for (const auto& [label, line] : lines)
    for (const auto& [why, count] : line.failures)
      put(errors, static_cast<double>(count), of(label, line, "errno_class", why));
  add_each(lines, true,
           list.add(MetricType::counter, "stallproof_op_mismatches_total",
                    "Operations that read wrong data."),
           [](const LoadLine& line) { return line.mismatches; });
}

void add_durations(const Lines& lines, FamilyList& list) {
  MetricFamily& family =
      list.add(MetricType::histogram, "stallproof_op_duration_seconds",
               "Durations of completed operations; one that hangs is in no bucket.");
  family.edges.assign(kLatencyEdges.begin(), kLatencyEdges.end());
  for (const auto& [label, line] : lines)
    for (const auto& [kind, counts] : line.kinds)
      if (line.own)
        family.samples.push_back({.labels = of(label, line, "op", kind),
                                  .value = 0,
                                  .counts = {counts.latency.begin(), counts.latency.end()},
                                  .sum = counts.seconds});
}

void add_now(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const Lines& lines = picture.loads.lines();
  MetricFamily& progress =
      list.add(MetricType::gauge, "stallproof_last_progress_timestamp_seconds",
               "Last completion, Unix time; start of the run while there was none.");
  add_each(lines, false, progress, [&](const LoadLine& line) {
    return unix_time(std::max(line.last_progress_ns, picture.news.started_ns), now);
  });
  if (!picture.active) return;  // whoever had something in flight is gone
  add_each(lines, false,
           list.add(MetricType::gauge, "stallproof_inflight_ops", "Operations in flight."),
           [](const LoadLine& line) { return line.in_flight; });
  const double since_s =
      static_cast<double>(now.monotonic_ns - std::min(now.monotonic_ns, picture.figures.taken_ns)) /
      1e9;
  add_each(lines, false,
           list.add(MetricType::gauge, "stallproof_oldest_inflight_seconds",
                    "Age of the oldest operation in flight, 0 when there is none."),
           [since_s](const LoadLine& line) {
             return line.oldest_age_s > 0 ? line.oldest_age_s + since_s : 0;
           });
  MetricFamily& ratio = list.add(MetricType::gauge, "stallproof_throughput_ratio",
                                 "Operations of the last second by the median of the last 60.");
  for (const auto& [label, line] : lines)
    if (line.throughput_ratio) put(ratio, *line.throughput_ratio, of(label, line));
}

void add_dropouts(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  const double now_ms = run_ms(picture, now);
  MetricFamily count{.name = "stallproof_dropouts_total",
                     .help = "Dropouts, counted when they are found.",
                     .type = MetricType::counter};
  MetricFamily allowed{.name = "stallproof_dropouts_allowed_total",
                       .help = "Of those, dropouts in a window in which a mark allows stalls.",
                       .type = MetricType::counter};
  MetricFamily seconds{.name = "stallproof_dropout_seconds_total",
                       .help = "Length of all dropouts, with the one that goes on.",
                       .type = MetricType::counter};
  MetricFamily active{.name = "stallproof_dropout_active", .help = "1 while a dropout goes on."};
  MetricFamily longest{.name = "stallproof_longest_dropout_seconds",
                       .help = "The longest dropout so far."};
  for (const auto& [label, line] : picture.loads.lines()) {
    const auto found = picture.stalls.dropouts().find(label);
    const DropoutLine dropout =
        found == picture.stalls.dropouts().end() ? DropoutLine{} : found->second;
    const double going_on_s =
        dropout.active_since_ms ? std::max(0.0, now_ms - *dropout.active_since_ms) / 1e3 : 0;
    put(count, static_cast<double>(dropout.stopped), of(label, line, "severity", "stopped"));
    put(count, static_cast<double>(dropout.slow), of(label, line, "severity", "slow"));
    put(allowed, static_cast<double>(dropout.allowed), of(label, line));
    put(seconds, dropout.ended_s + going_on_s, of(label, line));
    put(active, dropout.active_since_ms ? 1 : 0, of(label, line));
    put(longest, std::max(dropout.longest_s, going_on_s), of(label, line));
  }
  for (MetricFamily* const family : {&count, &allowed, &seconds, &active, &longest})
    list.add(std::move(*family));
}

}  // namespace

void add_load_metrics(const RunPicture& picture, const MetricsMoment& now, FamilyList& list) {
  add_counts(picture.loads.lines(), list);
  add_durations(picture.loads.lines(), list);
  add_now(picture, now, list);
  add_dropouts(picture, now, list);
}

}  // namespace stallproof
