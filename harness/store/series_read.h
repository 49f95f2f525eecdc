// SPDX-License-Identifier: Apache-2.0
// The files of series/ (harness/README.md lists them) row by row, in fixed memory however
// long the run was. Tolerant: a missing file has no rows, a last line that was cut by a crash and
// lines that make no sense are counted, told and left out. Blocking; reads regular files only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stallproof {

// What one load did in the second that ended at `t_ms` (since `started`). Views are valid during
// the call only.
struct LoadSecond {
  double t_ms = 0;
  std::string_view load;
  std::uint64_t ops = 0, bytes = 0, errors = 0;  // growth
  std::optional<double> p50_us, p99_us, max_us;  // absent: nothing completed, or not our load
  std::uint64_t in_flight = 0;
  double oldest_ms = 0;  // age of the oldest operation in flight then; 0: none
};

// Operations of a load in one class of durations, in the second that ended at `t_ms`. Four classes
// to each power of two.
struct LatencyCell {
  double t_ms = 0;
  std::string_view load;
  double from_us = 0;
  std::uint64_t count = 0;
};

// A look of the watchdog's around an incident; `ops`: growth since the look before.
struct AroundLook {
  double t_ms = 0;
  std::string_view load;
  std::uint64_t ops = 0, in_flight = 0;
  double oldest_ms = 0;
};

struct SeriesWindow {
  double start_ms = 0, end_ms = 0;
  std::string_view kind, text;  // injection, canary, mark or gap
};

// How reading went.
struct SeriesNotes {
  bool missing = false;  // there is no such file
  bool cut = false;      // its last line is not whole
  std::uint64_t rows = 0;
  std::uint64_t bad_lines = 0;
  std::uint64_t first_bad_line = 0;  // from 1, the header's; 0: there is none
  std::string problem;               // why it could not be read (on); empty when it could
  // One line for people; empty when all is well or the file is missing.
  [[nodiscard]] std::string words(std::string_view file) const;
};

// `run`: the run directory.
SeriesNotes read_load_seconds(const std::string& run,
                              const std::function<void(const LoadSecond&)>& visit);
SeriesNotes read_latency_cells(const std::string& run,
                               const std::function<void(const LatencyCell&)>& visit);
SeriesNotes read_around(const std::string& run, std::string_view incident,
                        const std::function<void(const AroundLook&)>& visit);
SeriesNotes read_windows(const std::string& run,
                         const std::function<void(const SeriesWindow&)>& visit);
// Ids of the incidents that have a file of their own, in order.
std::vector<std::string> around_ids(const std::string& run);

}  // namespace stallproof
