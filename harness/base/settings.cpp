// SPDX-License-Identifier: Apache-2.0
#include "harness/base/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/base/units.h"

namespace stallproof {
namespace {

template <class Parse>
auto parse_value(const std::map<std::string, std::string>& values, const std::string& key,
                 std::uint64_t fallback, Parse parse) -> Result<std::uint64_t> {
  const auto found = values.find(key);
  if (found == values.end()) return fallback;
  auto parsed = parse(found->second);
  if (!parsed) return fail(fmt::format("{}: {}", key, parsed.error().what));
  return *parsed;
}

}  // namespace

Result<Settings> Settings::from_words(const std::vector<std::string>& words) {
  Settings settings;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(fmt::format("'{}' is not KEY=VALUE", word));
    settings.values_[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return settings;
}

Result<std::uint64_t> Settings::count(const std::string& key, std::uint64_t fallback) const {
  return parse_value(values_, key, fallback, parse_count);
}

Result<std::uint64_t> Settings::size(const std::string& key, std::uint64_t fallback) const {
  return parse_value(values_, key, fallback, parse_size);
}

Result<Nanos> Settings::duration(const std::string& key, Nanos fallback) const {
  return parse_value(values_, key, fallback, parse_duration);
}

std::string Settings::text(const std::string& key, const std::string& fallback) const {
  const auto found = values_.find(key);
  return found == values_.end() ? fallback : found->second;
}

Result<std::string> Settings::choice(const std::string& key, const std::string& fallback,
                                     const std::vector<std::string>& allowed) const {
  std::string value = text(key, fallback);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    return fail(
        fmt::format("{}: '{}' is not known (one of: {})", key, value, fmt::join(allowed, ", ")));
  return value;
}

Result<> Settings::refuse_unknown(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : values_) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fail(fmt::format("unknown parameter '{}' (one of: {})", key, fmt::join(known, ", ")));
  }
  return {};
}

std::vector<std::string> Settings::words() const {
  std::vector<std::string> words;
  for (const auto& [key, value] : values_) words.push_back(key + "=" + value);
  return words;
}

}  // namespace stallproof
