// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/time_axis.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace stallproof {
namespace {

constexpr double kDay = 86400;
constexpr int kTicks = 7;

double step_for(double span_s) {
  constexpr std::array kSteps{0.1,   0.2,    0.5,    1.0,    2.0,    5.0,     10.0,   15.0,
                              30.0,  60.,    120.,   300.,   600.,   900.,    1800.,  3600.,
                              7200., 10800., 21600., 43200., 86400., 172800., 604800.};
  for (const double step : kSteps)
    if (span_s / step <= kTicks) return step;
  return std::ceil(span_s / kTicks / kDay) * kDay;
}

std::string clock_words(double second_of_day, double step) {
  double seconds = std::fmod(second_of_day, kDay);
  if (seconds < 0) seconds += kDay;
  const auto tenths = static_cast<long long>(std::llround(seconds * 10));
  const long long whole = tenths / 10;
  const std::string minutes = fmt::format("{:02}:{:02}", whole / 3600 % 24, whole / 60 % 60);
  if (step >= 60) return minutes;
  if (step >= 1) return fmt::format("{}:{:02}", minutes, whole % 60);
  return fmt::format("{}:{:02}.{}", minutes, whole % 60, tenths % 10);
}

bool number_at(std::string_view text, std::size_t at, int& value) {
  if (at + 2 > text.size()) return false;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, value);
  return error == std::errc() && end == text.data() + at + 2 && value >= 0;
}

}  // namespace

std::optional<double> seconds_of_day(std::string_view rfc3339) {
  int hour = 0, minute = 0, second = 0;
  if (rfc3339.size() < 19 || rfc3339[10] != 'T' || !number_at(rfc3339, 11, hour) ||
      !number_at(rfc3339, 14, minute) || !number_at(rfc3339, 17, second))
    return std::nullopt;
  double fraction = 0;
  if (rfc3339.size() > 20 && rfc3339[19] == '.') {
    double scale = 0.1;
    for (std::size_t i = 20; i < rfc3339.size() && rfc3339[i] >= '0' && rfc3339[i] <= '9'; ++i) {
      fraction += (rfc3339[i] - '0') * scale;
      scale /= 10;
    }
  }
  return hour * 3600.0 + minute * 60.0 + second + fraction;
}

std::vector<TimeTick> TimeAxis::ticks() const {
  std::vector<TimeTick> ticks;
  const double span = end_s - begin_s, step = step_for(span);
  const double clock = day_s.value_or(0);
  for (double k = std::ceil((begin_s + clock) / step); ticks.size() < kTicks + 2; ++k) {
    const double at = k * step - clock;
    if (!(at <= end_s)) break;
    ticks.push_back(
        {at, (at - begin_s) / span * 100, day_s ? clock_words(at + clock, step) : run_time(at)});
  }
  return ticks;
}

std::string TimeAxis::moment(double at_s) const {
  if (!day_s) return run_time(at_s);
  return fmt::format("{} ({})", clock_words(at_s + *day_s, end_s - begin_s < 600 ? 0.1 : 1),
                     run_time(at_s));
}

std::string run_time(double seconds) {
  if (seconds < 120) return fmt::format("+{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("+{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("+{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string span_words(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace stallproof
