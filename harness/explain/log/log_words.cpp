// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/log_words.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace stallproof {
namespace {

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\v' || letter == '\f';
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> leading_number(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::int32_t> leading_pid(std::string_view text) {
  const auto value = leading_number(text);
  if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

bool take_start(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

std::optional<std::string_view> between(std::string_view text, std::string_view from,
                                        std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + from.size());
  return text.substr(0, text.find(to));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trimmed(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool is_hex(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char letter) {
    return std::isxdigit(letter) != 0;
  });
}

std::optional<TaskName> task_name(std::string_view text, char separator) {
  const std::size_t at = text.rfind(separator);
  if (at == std::string_view::npos || at + 1 == text.size() || !is_digit(text[at + 1]))
    return std::nullopt;
  const std::string_view number = trimmed(text.substr(at + 1));
  const auto pid = leading_pid(number);
  if (!pid || !std::all_of(number.begin(), number.end(), is_digit)) return std::nullopt;
  return TaskName{text.substr(0, at), *pid};
}

}  // namespace stallproof
