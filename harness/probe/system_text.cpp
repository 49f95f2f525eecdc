// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/system_text.h"

#include <algorithm>
#include <charconv>

namespace stallproof {
namespace {

constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string_view next_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    text = {};
    return {};
  }
  const std::size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

// "12.34" as 1234.
std::optional<std::uint64_t> hundredths(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.size() != dot + 3) return std::nullopt;
  const auto whole = parse_number(text.substr(0, dot));
  const auto part = parse_number(text.substr(dot + 1));
  if (!whole || !part) return std::nullopt;
  return *whole * 100 + *part;
}

std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + key.size());
  return next_word(rest);
}

bool parse_pressure_line(std::string_view line, std::uint32_t& avg10, std::uint64_t& total) {
  const auto average = value_of(line, "avg10=");
  const auto sum = value_of(line, "total=");
  const auto share = average ? hundredths(*average) : std::nullopt;
  const auto micros = sum ? parse_number(*sum) : std::nullopt;
  if (!share || !micros) return false;
  avg10 = static_cast<std::uint32_t>(*share);
  total = *micros;
  return true;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool parse_pressure(std::string_view text, PressureRow& row) {
  const std::size_t line_end = std::min(text.find('\n'), text.size());
  const std::string_view some = text.substr(0, line_end);
  if (!some.starts_with("some ")) return false;
  PressureRow read;
  if (!parse_pressure_line(some, read.some_avg10, read.some_us)) return false;
  const std::string_view full = text.substr(std::min(line_end + 1, text.size()));
  if (full.starts_with("full ") && !parse_pressure_line(full, read.full_avg10, read.full_us))
    return false;
  row = read;
  return true;
}

std::optional<DiskLine> parse_disk_line(std::string_view line) {
  // Numbers after the name: 0 reads, 4 writes, 8 in flight, 11 discards (4.18), 15 flushes (5.5).
  constexpr std::size_t kNumbers = 17;
  constexpr std::size_t kAlways = 11;
  DiskLine disk;
  const auto major = parse_number(next_word(line));
  const auto minor = parse_number(next_word(line));
  disk.name = next_word(line);
  if (!major || !minor || disk.name.empty()) return std::nullopt;
  disk.major = static_cast<std::uint32_t>(*major);
  disk.minor = static_cast<std::uint32_t>(*minor);
  std::array<std::uint64_t, kNumbers> numbers{};
  std::size_t found = 0;
  for (; found < kNumbers; ++found) {
    const auto number = parse_number(next_word(line));
    if (!number) break;
    numbers[found] = *number;
  }
  if (found < kAlways) return std::nullopt;
  disk.row = {.completed = numbers[0] + numbers[4] + numbers[11] + numbers[15],
              .in_flight = numbers[8]};
  return disk;
}

bool is_partition_of(std::string_view name, std::string_view disk) {
  if (disk.empty() || name.size() <= disk.size() || !name.starts_with(disk)) return false;
  std::string_view rest = name.substr(disk.size());
  const bool numbered = is_digit(disk.back());
  if (numbered && rest.front() != 'p') return false;
  if (numbered) rest.remove_prefix(1);
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), is_digit);
}

}  // namespace stallproof
