// SPDX-License-Identifier: Apache-2.0
// Metrics as plain data, in the shape Prometheus has them, before any form of text.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stallproof {

enum class MetricType { counter, gauge, histogram };

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// One series; of a histogram all series with the same labels but for `le`.
struct MetricSample {
  MetricLabels labels;
  double value = 0;                   // counter, gauge
  std::vector<std::uint64_t> counts;  // histogram: by class, not cumulative, one more than edges
  double sum = 0;                     // histogram
};

struct MetricFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::gauge;
  std::vector<double> edges;  // histogram: upper edges, rising
  std::vector<MetricSample> samples;
};

using MetricFamilies = std::vector<MetricFamily>;

}  // namespace stallproof
