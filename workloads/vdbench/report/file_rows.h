// SPDX-License-Identifier: Apache-2.0
// The rows of file-system runs, as on vdbench's console and in its summary, totals, FSD, FWD and
// host pages. Milliseconds, MB of 1024², percent; a number too long for its column loses decimals.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "workloads/files/file_totals.h"

namespace stallproof {

// How the rates of intervals differ, of which vdbench counts whole operations a second.
struct RateSpread {
  std::uint64_t intervals = 0;
  double sum = 0, squares = 0, max = 0;

  void add(double rate);
  // Of a sample, 0 below two intervals.
  [[nodiscard]] double deviation() const;
};

struct FileSpread {
  std::array<RateSpread, kFileOperations> operations;

  // Once for each interval behind the warm-up.
  void add(const FileTotals& interval, double seconds);
  [[nodiscard]] const RateSpread& of(FileOperation operation) const {
    return operations[static_cast<std::size_t>(operation)];
  }
};

struct FileRow {
  std::string label;  // "1", "avg_2-20"
  FileTotals totals;
  double seconds = 0;
  CpuShares cpu;
  FileOperations requested;  // by the run's workloads; a format run's is write
};

// An empty line and the two lines of column names; before interval 1, 31, 61 … `date` is
// "Nov 22, 2026". Of getattr, setattr, access, copy and move those are columns that are `used`
// anywhere in the plan; all others always are.
std::string file_header(std::string_view date, const FileOperations& used);

// One line. `time` is HH:MM:SS.mmm.
std::string file_row(std::string_view time, const FileRow& row, const FileOperations& used);

// The two lines below an average, std_2-20 and max_2-20: rates by interval, response times by
// operation. What is 0 is left blank, and so are the requested operations if they are several.
std::string file_spread_rows(std::string_view time, const FileRow& average,
                             const FileSpread& spread, const FileOperations& used);

}  // namespace stallproof
