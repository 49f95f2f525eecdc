// SPDX-License-Identifier: Apache-2.0
// Time along a chart: from run time to columns, and the times written below, on the wall clock of
// the node where it ran. Pure; nothing of this machine (zone, clock) is looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stallproof {

inline constexpr double kChartWidth = 720;  // columns of a chart, as its viewBox counts them

// Seconds of the day when the run started; nullopt when the text is no RFC 3339 time.
std::optional<double> seconds_of_day(std::string_view rfc3339);

struct TimeTick {
  double at_s = 0;
  double percent = 0;  // of the width
  std::string text;    // "03:12", "03:12:30" or, without a clock, "+1:30 h"
};

struct TimeAxis {
  double begin_s = 0, end_s = 1;
  std::optional<double> day_s;  // seconds of the day at run time 0

  [[nodiscard]] double column(double at_s) const {
    return (at_s - begin_s) / (end_s - begin_s) * kChartWidth;
  }
  [[nodiscard]] std::vector<TimeTick> ticks() const;
  // One moment, to the second or finer where the axis is short.
  [[nodiscard]] std::string moment(double at_s) const;
};

// "+12.3 s", "+1:02:05 h"
std::string run_time(double seconds);
// "800 ms", "2.6 s", "4 min 10 s", "10.0 h"
std::string span_words(double seconds);

}  // namespace stallproof
