// SPDX-License-Identifier: Apache-2.0
// Families while they are put together.
#pragma once

#include <string>
#include <utility>

#include "harness/sink/metric_family.h"
#include "harness/sink/metrics_families.h"

namespace stallproof {

class FamilyList {
 public:
  // Stays valid until the next one is added.
  MetricFamily& add(MetricType type, const char* name, const char* help) {
    return families_.emplace_back(
        MetricFamily{.name = name, .help = help, .type = type, .edges = {}, .samples = {}});
  }
  void add(MetricFamily family) { families_.push_back(std::move(family)); }
  MetricFamilies take() { return std::move(families_); }

 private:
  MetricFamilies families_;
};

inline void put(MetricFamily& family, double value, MetricLabels labels = {}) {
  family.samples.push_back({.labels = std::move(labels), .value = value, .counts = {}, .sum = 0});
}

// A moment of the monotonic clock as Unix time in seconds.
inline double unix_time(std::uint64_t monotonic_ns, const MetricsMoment& now) {
  return static_cast<double>(now.realtime_ns) / 1e9 -
         (static_cast<double>(now.monotonic_ns) - static_cast<double>(monotonic_ns)) / 1e9;
}

}  // namespace stallproof
