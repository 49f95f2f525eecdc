// SPDX-License-Identifier: Apache-2.0
// The rows of raw runs, as on vdbench's console and in its summary, totals, SD, WD and host pages.
// Milliseconds, MB of 1024², percent. Pure.
#pragma once

#include <string>
#include <string_view>

#include "workloads/io/io_totals.h"

namespace stallproof {

struct RawRow {
  std::string label;  // "1", "avg_2-20"
  IoTotals totals;
  double seconds = 0;
  CpuShares cpu;
};

// An empty line and the two lines of column names; before interval 1, 31, 61 … `date` is
// "Nov 22, 2026".
std::string raw_header(std::string_view date);

// One line. `time` is HH:MM:SS.mmm; a label of 12 characters or more stands right behind it.
std::string raw_row(std::string_view time, const RawRow& row);

}  // namespace stallproof
