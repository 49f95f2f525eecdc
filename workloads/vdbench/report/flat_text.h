// SPDX-License-Identifier: Apache-2.0
// The form of flatfile.html, which programs read: comments, one line of column names, then one line
// for each interval and each run's average. Values stand one blank apart, one follows the last;
// numbers have at most four decimals. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/io/io_totals.h"

namespace stallproof {

// What begins each line.
struct FlatStamp {
  std::string tod;        // HH:MM:SS.mmm
  std::string timestamp;  // MM/DD/YYYY-HH:MM:SS-ZZZ
  std::string run;
};

struct FlatColumn {
  std::string name, meaning;
};

// The comments, one for each column, and the line of names; tod and timestamp go without saying.
std::string flat_header(std::span<const FlatColumn> columns);

// The last five of every file.
void add_cpu_columns(std::vector<FlatColumn>& columns);

class FlatLine {
 public:
  // An average ("avg_2-20") gets a blank more in front, as from vdbench: by it some programs know
  // that the line is no interval.
  FlatLine(const FlatStamp& stamp, const std::string& label);

  void add(double value);
  void add(const std::optional<double>& value);  // none: n/a
  void add_text(const std::string& text);
  void add_cpu(const CpuShares& cpu);
  [[nodiscard]] std::string text() const { return text_ + "\n"; }

 private:
  std::string text_;
};

}  // namespace stallproof
