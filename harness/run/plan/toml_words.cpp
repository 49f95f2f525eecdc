// SPDX-License-Identifier: Apache-2.0
#include "harness/run/plan/toml_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace stallproof {
namespace {

struct Unit {
  std::uint64_t factor;
  const char* suffix;
};

// In the largest unit that leaves no remainder: nothing is rounded.
template <std::size_t N>
std::string in_units(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& unit : units)
    if (value % unit.factor == 0) return fmt::format("\"{}{}\"", value / unit.factor, unit.suffix);
  return {};
}

}  // namespace

std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string toml_duration(Nanos span) {
  constexpr std::array kUnits{Unit{kSecond, "s"}, Unit{kMillisecond, "ms"}, Unit{1000, "us"},
                              Unit{1, "ns"}};
  return in_units(span, kUnits);
}

std::string toml_size(std::uint64_t bytes) {
  constexpr std::array kUnits{Unit{1U << 30U, "GiB"}, Unit{1U << 20U, "MiB"},
                              Unit{1U << 10U, "KiB"}, Unit{1, ""}};
  return in_units(bytes, kUnits);
}

std::string toml_value(const std::string& value) {
  const bool whole =
      !value.empty() && value.size() < 18 && (value[0] != '0' || value == "0") &&
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return whole ? value : toml_quoted(value);
}

std::string toml_names(const std::vector<std::string>& names) {
  std::vector<std::string> words;
  for (const std::string& name : names) words.push_back(toml_quoted(name));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

std::string toml_comment(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return line;
}

}  // namespace stallproof
