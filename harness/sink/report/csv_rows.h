// SPDX-License-Identifier: Apache-2.0
// A CSV file of a run, row by row in little memory, however long the run was. Blocking reads of one
// plain file. What is no row (cut by a crash, damaged) is counted, never guessed at.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace stallproof {

inline constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

class CsvRow {
 public:
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] std::string_view text(std::size_t field) const {
    return field < fields_.size() ? fields_[field] : std::string_view();
  }
  // kNoNumber when it is empty, no number, negative or not finite.
  [[nodiscard]] double number(std::size_t field) const;

 private:
  friend class CsvFile;
  std::vector<std::string_view> fields_;  // into the file's buffer, until the next row
};

struct CsvCounts {
  bool opened = false;
  std::size_t rows = 0;
  std::size_t bad = 0;
};

using TakeHeader = std::function<void(const CsvRow& header)>;
using TakeRow = std::function<bool(const CsvRow& row)>;  // false: it is a bad row

// The last field takes what is left of the line when a row has more than the header (free text).
CsvCounts read_csv(const std::string& path, const TakeHeader& header, const TakeRow& row);

}  // namespace stallproof
