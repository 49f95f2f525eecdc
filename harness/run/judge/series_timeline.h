// SPDX-License-Identifier: Apache-2.0
// What a saved run knows of its loads over time: rows of a second for all of it, and where an
// incident was, the watchdog's looks of every 100 ms instead. Reads series/; memory grows with the
// length of the run (about 40 bytes for each load and row).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

// One load in one span of time.
struct LoadSpan {
  std::uint64_t ops = 0;        // completed in it
  std::uint64_t in_flight = 0;  // at its end
  double oldest_ms = 0;         // of those, the age of the oldest; 0: none
  double longest_ms = -1;       // the longest of those that completed; negative: not known
};

// (from_ms, until_ms] since `started`. The load i of span s is at cells[s * loads.size() + i].
struct TimeSpan {
  double from_ms = 0, until_ms = 0;
  bool fine = false;  // a look of the watchdog's, not a row of a second
};

struct GapWindow {
  double from_ms = 0, until_ms = 0;
};

struct SeriesTimeline {
  std::vector<std::string> loads;
  std::vector<TimeSpan> spans;  // in order, none overlaps another
  std::vector<LoadSpan> cells;
  std::vector<GapWindow> gaps;         // the watchdog itself was not run
  std::vector<std::string> incidents;  // that have rows of 100 ms
  std::vector<std::string> problems;   // what is missing or makes no sense, a line each
  double fine_ms = 0;                  // how much of it is known every 100 ms
  [[nodiscard]] const LoadSpan& at(std::size_t span, std::size_t load) const {
    return cells[span * loads.size() + load];
  }
  [[nodiscard]] double end_ms() const { return spans.empty() ? 0 : spans.back().until_ms; }
};

// An error where a run has no such series at all: an older version made it, or it never began.
Result<SeriesTimeline> read_timeline(const std::string& run);

}  // namespace stallproof
