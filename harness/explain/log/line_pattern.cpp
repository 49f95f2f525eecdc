// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/log/line_pattern.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr std::string_view kEndsWord = " \t,;:)";

// Up to `literal`; an empty one ends with the word. npos: not there.
std::size_t end_of_gap(std::string_view line, std::string_view literal) {
  if (literal.empty()) {
    std::size_t end = std::min(line.find_first_of(kEndsWord), line.size());
    while (end > 0 && line[end - 1] == '.') --end;
    return end;
  }
  return line.find(literal);
}

}  // namespace

std::string_view LineGaps::of(std::string_view name) const {
  for (std::size_t i = 0; i < count; ++i)
    if (gaps[i].name == name) return gaps[i].text;
  return {};
}

std::optional<LineGaps> match_line(std::string_view pattern, std::string_view line) {
  LineGaps found;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    if (!line.starts_with(pattern.substr(0, open))) return std::nullopt;
    line.remove_prefix(open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const std::size_t close = std::min(pattern.find('}'), pattern.size() - 1);
    const std::string_view name = pattern.substr(1, close - 1);
    pattern.remove_prefix(close + 1);
    const std::size_t end = end_of_gap(line, pattern.substr(0, pattern.find('{')));
    if (end == std::string_view::npos) return std::nullopt;
    if (name != "*") {
      if (end == 0) return std::nullopt;
      if (found.count < found.gaps.size()) found.gaps[found.count++] = {name, line.substr(0, end)};
    }
    line.remove_prefix(end);
  }
  return found;
}

std::string filled(std::string_view title, const LineGaps& gaps) {
  std::string text;
  while (!title.empty()) {
    const std::size_t open = std::min(title.find('{'), title.size());
    text += title.substr(0, open);
    title.remove_prefix(open);
    if (title.empty()) break;
    const std::size_t close = std::min(title.find('}'), title.size() - 1);
    text += gaps.of(title.substr(1, close - 1));
    title.remove_prefix(close + 1);
  }
  return text;
}

}  // namespace stallproof
