// SPDX-License-Identifier: Apache-2.0
// Runs as a table, one row each, oldest first: for tools that look for the moment a figure changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/store/history.h"
#include "harness/store/history_filter.h"

namespace stallproof {

// All cells in one text, row by row: there are hundreds of thousands of them.
class HistoryTable {
 public:
  // "time", "run", …, then of each load "NAME.ops_per_s", "NAME.p99_us", ….
  std::vector<std::string> columns;
  std::size_t texts = 0;  // how many of the columns are words

  // The next cell; every row is given all of its columns.
  void add(std::string_view cell);
  void add(std::int64_t count);
  void add(double figure);  // six digits
  [[nodiscard]] std::size_t rows() const {
    return columns.empty() ? 0 : ends_.size() / columns.size();
  }
  // Empty: no such figure in that run.
  [[nodiscard]] std::string_view cell(std::size_t row, std::size_t column) const;
  // Of all cells together.
  [[nodiscard]] std::size_t letters() const { return text_.size(); }

 private:
  void end_cell() { ends_.push_back(text_.size()); }
  std::string text_;
  std::vector<std::size_t> ends_;
};

Result<HistoryTable> history_table(History& history, const HistoryFilter& filter);

// RFC 4180, with a header.
std::string as_csv(const HistoryTable& table);

}  // namespace stallproof
