// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/metrics_collectable.h"

#include <prometheus/metric_family.h>

#include <limits>

namespace stallproof {
namespace {

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return prometheus::MetricType::Counter;
    case MetricType::gauge:
      return prometheus::MetricType::Gauge;
    case MetricType::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const std::vector<double>& edges,
                                                 const MetricSample& sample) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_sum = sample.sum;
  for (std::size_t i = 0; i < sample.counts.size(); ++i) {
    histogram.sample_count += sample.counts[i];
    histogram.bucket.push_back(
        {histogram.sample_count,
         i < edges.size() ? edges[i] : std::numeric_limits<double>::infinity()});
  }
  return histogram;
}

prometheus::ClientMetric metric_of(const MetricFamily& family, const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  if (family.type == MetricType::histogram)
    metric.histogram = histogram_of(family.edges, sample);
  else if (family.type == MetricType::counter)
    metric.counter.value = sample.value;
  else
    metric.gauge.value = sample.value;
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> MetricsCollectable::Collect() const {
  std::vector<prometheus::MetricFamily> all;
  for (const MetricFamily& family : collect_()) {
    if (family.samples.empty()) continue;
    prometheus::MetricFamily& into = all.emplace_back();
    into.name = family.name;
    into.help = family.help;
    into.type = type_of(family.type);
    for (const MetricSample& sample : family.samples)
      into.metric.push_back(metric_of(family, sample));
  }
  return all;
}

}  // namespace stallproof
