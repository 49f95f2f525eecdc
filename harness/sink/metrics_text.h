// SPDX-License-Identifier: Apache-2.0
// Metrics as text, in the exposition format that Prometheus and node_exporter's textfile collector
// read (version 0.0.4). Pure.
#pragma once

#include <string>

#include "harness/sink/metric_family.h"

namespace stallproof {

std::string metrics_text(const MetricFamilies& families);

}  // namespace stallproof
