// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/joined_lines.h"

#include <algorithm>

#include "harness/explain/log/log_words.h"

namespace stallproof {
namespace {

constexpr std::size_t kMicroDigits = 6;
constexpr std::size_t kLongestTag = 128;

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// `text` begins with "[".
bool begins_with_stamp(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::size_t point = skip_digits(text, at);
  if (point == at || point >= text.size() || text[point] != '.') return false;
  const std::size_t end = skip_digits(text, point + 1);
  return end - point - 1 == kMicroDigits && end < text.size() && text[end] == ']';
}

std::size_t stamp_at(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('[', from); at != std::string_view::npos;
       at = text.find('[', at + 1))
    if (begins_with_stamp(text.substr(at))) return at;
  return std::string_view::npos;
}

// "node7 app[77]:", "node7 app:" as syslog writes it; not "node7 login:" of a console.
bool is_tag(std::string_view before, bool stamped) {
  before = trimmed(before);
  if (!before.ends_with(":") || before.size() > kLongestTag) return false;
  if (before.ends_with("]:")) return true;
  return stamped && std::count(before.begin(), before.end(), ' ') == 1 &&
         !before.ends_with(" login:");
}

}  // namespace

std::size_t joined_at(std::string_view text, bool stamped) {
  if (text.empty()) return std::string_view::npos;
  const std::size_t at = stamp_at(text, 1);
  if (at == std::string_view::npos || is_tag(text.substr(0, at), stamped))
    return std::string_view::npos;
  return at;
}

bool has_fine_stamp(std::string_view raw) { return stamp_at(raw, 0) != std::string_view::npos; }

}  // namespace stallproof
