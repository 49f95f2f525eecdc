// SPDX-License-Identifier: Apache-2.0
#include "harness/base/rfc3339.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>

namespace stallproof {
namespace {

constexpr std::int64_t kSecondMs = 1000, kMinuteMs = 60 * kSecondMs, kHourMs = 60 * kMinuteMs,
                       kDayMs = 24 * kHourMs;

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

// Days since 1970 of the proleptic Gregorian calendar: years begin in March, so that the leap day
// is the last one, and are counted in eras of 400.
std::int64_t days_of(Civil date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year =
      (153 * (static_cast<std::int64_t>(date.month) + (date.month > 2 ? -3 : 9)) + 2) / 5 +
      date.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

Civil civil_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t of_era = days - era * 146097;
  const std::int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  const auto calendar = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  return {years + era * 400 + (calendar <= 2 ? 1 : 0), calendar,
          static_cast<unsigned>(of_year - (153 * month + 2) / 5 + 1)};
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Reads from the front of the text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  unsigned digits(std::size_t count, unsigned least, unsigned most) {
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return refuse();
      value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value < least || value > most ? refuse() : value;
  }
  // One of these; '\0' when there is none.
  char letter(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) return '\0';
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  void expect(std::string_view allowed) {
    if (letter(allowed) == '\0') refuse();
  }
  // Milliseconds of a fraction of any length.
  unsigned fraction() {
    unsigned value = 0, scale = 100;
    bool any = false;
    while (const char digit = letter("0123456789")) {
      value += static_cast<unsigned>(digit - '0') * scale;
      scale /= 10;
      any = true;
    }
    return any ? value : refuse();
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  unsigned refuse() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::optional<Instant> parse_rfc3339(std::string_view text) {
  Reader in(text);
  Civil date{};
  date.year = in.digits(4, 0, 9999);
  in.expect("-");
  date.month = in.digits(2, 1, 12);
  in.expect("-");
  date.day = in.digits(2, 1, 31);
  in.expect("Tt ");
  const unsigned hour = in.digits(2, 0, 23);
  in.expect(":");
  const unsigned minute = in.digits(2, 0, 59);
  in.expect(":");
  const unsigned second = in.digits(2, 0, 60);
  const unsigned millis = in.letter(".") == '.' ? in.fraction() : 0;
  Instant at;
  if (const char sign = in.letter("+-Zz"); sign == '+' || sign == '-') {
    const auto hours = static_cast<int>(in.digits(2, 0, 23));
    in.expect(":");
    const auto minutes = static_cast<int>(in.digits(2, 0, 59));
    at.offset_min = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
  } else if (sign == '\0') {
    return std::nullopt;
  }
  if (!in.good() || !in.at_end()) return std::nullopt;
  at.unix_ms = days_of(date) * kDayMs + hour * kHourMs + minute * kMinuteMs + second * kSecondMs +
               millis - at.offset_min * kMinuteMs;
  return at;
}

std::string date_words(const Instant& at) {
  constexpr std::array kMonths = {"January",   "February", "March",    "April",
                                  "May",       "June",     "July",     "August",
                                  "September", "October",  "November", "December"};
  const Civil date = civil_of(floor_div(at.unix_ms + at.offset_min * kMinuteMs, kDayMs));
  return fmt::format("{} {} {}", date.day, kMonths[date.month - 1], date.year);
}

std::string time_words(const Instant& at) {
  const std::int64_t local = at.unix_ms + at.offset_min * kMinuteMs;
  const std::int64_t days = floor_div(local, kDayMs);
  const std::int64_t of_day = local - days * kDayMs;
  const Civil date = civil_of(days);
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}{:02}:{:02}"), date.year,
                     date.month, date.day, of_day / kHourMs, of_day / kMinuteMs % 60,
                     of_day / kSecondMs % 60, at.offset_min < 0 ? '-' : '+',
                     std::abs(at.offset_min) / 60, std::abs(at.offset_min) % 60);
}

}  // namespace stallproof
