// SPDX-License-Identifier: Apache-2.0
// The rows of a raw run as vdbench 5.04.07 prints them on stdout and in its summary, SD and WD
// files. Widths and units are what parsers rely on. Pure.
#pragma once

#include <string>
#include <string_view>

#include "workloads/io/io_totals.h"

namespace stallproof {

struct RawRow {
  std::string label;  // "1", or "avg_2-20"
  IoTotals totals;    // of this span
  double seconds = 0;
  CpuShares cpu;
};

// Two lines; the first begins with the date ("Nov 22, 2026").
std::string raw_header(std::string_view date);
// `time`: "17:08:39.047", glued to the label's 12 columns as vdbench does.
std::string raw_row(std::string_view time, const RawRow& row);

// The figures of a row; 0 where there was no I/O.
struct RawFigures {
  double rate = 0, megabytes = 0, bytes_per_io = 0, read_percent = 0;
  double response_ms = 0, read_response_ms = 0, write_response_ms = 0;
  double max_ms = 0, read_max_ms = 0, write_max_ms = 0;
  // sqrt((n sum(x²) - sum(x)²) / (n (n - 1)))
  double deviation_ms = 0, read_deviation_ms = 0, write_deviation_ms = 0;
  double queue_depth = 0;
};
RawFigures figures_of(const RawRow& row);

}  // namespace stallproof
