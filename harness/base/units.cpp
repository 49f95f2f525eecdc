// SPDX-License-Identifier: Apache-2.0
#include "harness/base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "harness/base/saturated.h"

namespace stallproof {
namespace {

struct Unit {
  std::string_view suffix;
  double factor;
};

constexpr std::array kDurations{Unit{"ns", 1},   Unit{"us", 1e3},   Unit{"ms", 1e6}, Unit{"s", 1e9},
                                Unit{"m", 60e9}, Unit{"h", 3600e9}, Unit{"", 1e9}};
constexpr std::array kSizes{Unit{"KiB", 1024.0},
                            Unit{"MiB", 1024.0 * 1024},
                            Unit{"GiB", 1024.0 * 1024 * 1024},
                            Unit{"TiB", 1024.0 * 1024 * 1024 * 1024},
                            Unit{"k", 1024.0},
                            Unit{"m", 1024.0 * 1024},
                            Unit{"g", 1024.0 * 1024 * 1024},
                            Unit{"t", 1024.0 * 1024 * 1024 * 1024},
                            Unit{"K", 1024.0},
                            Unit{"M", 1024.0 * 1024},
                            Unit{"G", 1024.0 * 1024 * 1024},
                            Unit{"T", 1024.0 * 1024 * 1024 * 1024},
                            Unit{"", 1.0}};

template <std::size_t N>
Result<std::uint64_t> parse_scaled(std::string_view text, const std::array<Unit, N>& units,
                                   std::string_view what, std::string_view examples) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  const auto bad = [&] {
    return fail(fmt::format("'{}' is not a {} (write {})", text, what, examples));
  };
  if (failed != std::errc{} || number < 0 || !std::isfinite(number)) return bad();
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.suffix != suffix) continue;
    const double value = number * unit.factor;
    if (value >= 9.2e18) return bad();
    return static_cast<std::uint64_t>(std::llround(value));
  }
  return bad();
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  return parse_scaled(text, kDurations, "duration", "500ms, 30s, 10m or 8h");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_scaled(text, kSizes, "size", "4096, 64KiB, 256MiB or 1GiB");
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || rest != end)
    return fail(fmt::format("'{}' is not a whole number", text));
  return number;
}

std::string format_duration(Nanos span) {
  const auto value = static_cast<double>(span);
  if (span >= 60 * kSecond) return fmt::format("{:.1f} min", value / 60e9);
  if (span >= kSecond) return fmt::format("{:.3f} s", value / 1e9);
  if (span >= kMillisecond) return fmt::format("{:.1f} ms", value / 1e6);
  return fmt::format("{:.0f} us", value / 1e3);
}

std::string duration_word(Nanos span) {
  if (span % kSecond == 0) return fmt::format("{}s", span / kSecond);
  if (span % kMillisecond == 0) return fmt::format("{}ms", span / kMillisecond);
  return fmt::format("{}ns", span);
}

Nanos nanos_from_ms(double ms) { return saturated<Nanos>(std::round(ms * 1e6)); }

std::string format_rfc3339(Nanos realtime) {
  const auto seconds = static_cast<time_t>(realtime / kSecond);
  const auto millis = static_cast<unsigned>(realtime % kSecond / kMillisecond);
  tm local{};
  ::localtime_r(&seconds, &local);
  const long offset_min = local.tm_gmtoff / 60;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02}", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                     millis, offset_min < 0 ? '-' : '+', std::abs(offset_min) / 60,
                     std::abs(offset_min) % 60);
}

}  // namespace stallproof
