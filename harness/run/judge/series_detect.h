// SPDX-License-Identifier: Apache-2.0
// The watchdog's own detectors over a stored time line: what they would have said with these
// thresholds. A row of a second is fed as ten looks among which its operations are spread evenly;
// the last completion is taken as late as it can have been, so whatever is found is sure, and what
// only may have been is told apart. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/detect/load_thresholds.h"
#include "harness/run/judge/series_timeline.h"

namespace stallproof {

struct SeriesStall {
  double onset_ms = 0;
  std::optional<double> resolved_ms;  // absent: it stands at the end of the series
  double inexact_ms = 0;              // it may have been so much longer
  std::uint32_t loads = 0;            // bit per load
  bool stuck_op = false;              // others of its load completed
};

struct SeriesDropout {
  std::uint32_t load = 0;
  double start_ms = 0, end_ms = 0;
  double ratio = 0;
};

// Rows of a second leave room for a stall here: an operation took that long, and nothing says that
// others completed meanwhile.
struct PossibleStall {
  std::uint32_t load = 0;
  double from_ms = 0, until_ms = 0;  // of several close to each other
  double at_most_ms = 0;             // as long the longest of them may have been
};

struct SeriesFindings {
  std::vector<SeriesStall> stalls;
  std::vector<SeriesDropout> dropouts;
  std::vector<PossibleStall> possible;
};

SeriesFindings detect_in_series(const SeriesTimeline& timeline, const LoadThresholds& thresholds);

}  // namespace stallproof
