// SPDX-License-Identifier: Apache-2.0
// How fast a node was over the time of the whole fleet: series/loads.csv, however long, in a fixed
// number of columns. Of each row only time and operations are looked at, which is what makes a
// thousand nodes bearable. Blocking; reads one regular file, a buffer at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace stallproof {

inline constexpr std::size_t kActivityColumns = 240;

// Operations per second of all loads together, of the slowest and the fastest second that ended in
// the column. NaN: none did.
struct ActivityColumn {
  float low = std::numeric_limits<float>::quiet_NaN();
  float high = std::numeric_limits<float>::quiet_NaN();
};

struct Activity {
  std::array<ActivityColumn, kActivityColumns> columns;
  double last_ms = 0;  // of the last row, since the run's start
  std::uint64_t rows = 0, bad_lines = 0;
  bool missing = false;  // there is no such file
  std::string problem;   // why it could not be read (on); empty when it could

  // One line for people; empty when all is well.
  [[nodiscard]] std::string words() const;
};

// Where the run lies on the axis: its start, and the length of the axis, in milliseconds.
struct AxisPlace {
  double begin_ms = 0;
  double span_ms = 1;
};

Activity read_activity(const std::string& run_directory, const AxisPlace& place);

}  // namespace stallproof
