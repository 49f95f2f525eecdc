// SPDX-License-Identifier: Apache-2.0
// Our metrics as prometheus-cpp has them.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <utility>
#include <vector>

#include "harness/sink/metric_family.h"

namespace stallproof {

class MetricsCollectable final : public prometheus::Collectable {
 public:
  explicit MetricsCollectable(std::function<MetricFamilies()> collect)
      : collect_(std::move(collect)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::function<MetricFamilies()> collect_;
};

}  // namespace stallproof
