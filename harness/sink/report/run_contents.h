// SPDX-License-Identifier: Apache-2.0
// What a report tells, as data: everything of a run directory that it needs and nothing else.
// Reading blocks as any disk does; it never writes. Whatever is missing, cut or damaged is left out
// and named in `problems`, one line each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/sink/report/heat_grid.h"
#include "harness/store/run_read.h"

namespace stallproof {

// One second of one load, or 100 ms around an incident. NaN: not measured.
struct LoadPoint {
  float t_s = 0;         // since `started`
  float per_second = 0;  // operations completed
  float p50_us = 0, p99_us = 0, max_us = 0;
  float oldest_ms = 0;  // age of the oldest operation in flight
};

struct LoadSeries {
  std::string name;
  std::vector<LoadPoint> points;  // by time
  std::optional<HeatGrid> heat;
  bool has_latency = false, has_oldest = false;
};

struct RunWindow {
  double start_ms = 0, end_ms = 0;
  std::string kind;  // injection, canary, mark, gap or capture
  std::string text;
};

struct EvidenceFile {
  std::string name;  // below the incident's folder
  std::uint64_t bytes = 0;
};

struct ReportIncident {
  StoredIncident stored;
  std::optional<StallEntry> entry;  // of the verdict
  std::vector<LoadSeries> around;
  std::vector<EvidenceFile> files;
};

struct RunContents {
  StoredRun run;
  std::vector<LoadSeries> loads;
  std::vector<RunWindow> windows;
  std::vector<ReportIncident> incidents;
  double span_s = 0;  // of the time axis
  std::vector<std::string> problems;
  bool beside = false;  // the page will lie in the run directory: its files can be links
};

// An error only when the directory is none of a run.
Result<RunContents> read_contents(const std::string& directory);

}  // namespace stallproof
