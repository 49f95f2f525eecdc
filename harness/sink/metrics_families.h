// SPDX-License-Identifier: Apache-2.0
// The metrics of a run, as METRICS.md lists them, from what is known of it at one moment. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/sink/load_ledger.h"
#include "harness/sink/metric_family.h"
#include "harness/sink/run_figures.h"
#include "harness/sink/run_news.h"
#include "harness/sink/stall_ledger.h"

namespace stallproof {

// What the end of a run adds.
struct RunEnd {
  std::string verdict;  // pass, fail or unknown
  std::uint64_t probe_timeouts = 0;
  std::uint64_t left_behind = 0;
  std::uint64_t unkillable = 0;  // of those
};

struct RunPicture {
  RunNews news;
  RunFigures figures;  // observer, locks, system; the loads are in `loads`
  LoadLedger loads;
  StallLedger stalls;
  std::uint64_t sight_lost = 0;
  HealthNews health;
  bool canary = false;  // one is being made
  std::vector<MarkNews> marks;
  std::optional<RunEnd> end;
  bool active = false;  // begun and not ended
};

// Clocks as they are now, both of them: figures and news count on the monotonic one.
struct MetricsMoment {
  std::uint64_t monotonic_ns = 0;
  std::uint64_t realtime_ns = 0;
};

// Milliseconds since the run began, as in the news.
inline double run_ms(const RunPicture& picture, const MetricsMoment& now) {
  return (static_cast<double>(now.monotonic_ns) - static_cast<double>(picture.news.started_ns)) /
         1e6;
}

MetricFamilies run_metrics(const RunPicture& picture, const MetricsMoment& now);

}  // namespace stallproof
