// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/substitution.h"

#include <algorithm>
#include <array>

namespace stallproof {
namespace {

// True when something was replaced. What comes in stands where the name stood.
bool replace_all(SourceLine& line, std::string_view what, std::string_view by) {
  bool found = false;
  for (std::size_t at = 0; (at = line.text.find(what, at)) != std::string::npos; at += by.size()) {
    line.text.replace(at, what.size(), by);
    const auto begin = line.columns.begin() + static_cast<std::ptrdiff_t>(at);
    const unsigned column = *begin;
    line.columns.insert(line.columns.erase(begin, begin + static_cast<std::ptrdiff_t>(what.size())),
                        by.size(), column);
    found = true;
  }
  return found;
}

bool names_a_host(std::string_view text) {
  return text.find("$host") != std::string_view::npos ||
         text.find("!host") != std::string_view::npos ||
         text.find("#host") != std::string_view::npos;
}

bool begins_definition(std::string_view text) {
  constexpr std::array kStarts = {"sd", "fsd", "wd", "fwd", "rd"};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

}  // namespace

Result<> Substitutions::add(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == 0 || equals == std::string_view::npos)
    return fail(fmt::format("vdbench: '{}' is no name=value", word));
  values_[std::string(word.substr(0, equals))] = {std::string(word.substr(equals + 1)), false};
  return {};
}

Result<SourceLine> Substitutions::apply(SourceLine line) {
  for (auto& [name, value] : values_) {
    const bool dollar = replace_all(line, "$" + name, value.text);
    const bool bang = replace_all(line, "!" + name, value.text);
    value.used = value.used || dollar || bang;
  }
  const std::string& text = line.text;
  if (text.find("$host") != std::string::npos || text.find("!host") != std::string::npos)
    return line;
  const std::size_t left = std::min(text.find("=$"), text.find("=!"));
  if (left == std::string::npos) return line;
  line.place.column = line.columns[left + 1];
  const std::string name = text.substr(left + 1, text.find_first_of(", \t", left) - left - 1);
  return fault_at(line.place, fmt::format("nobody says what {} is (give {}=VALUE on the command "
                                          "line)",
                                          name, name.substr(1)));
}

void Substitutions::note_comment(std::string_view line) {
  for (auto& [name, value] : values_)
    value.used = value.used || line.find("$" + name) != std::string_view::npos ||
                 line.find("!" + name) != std::string_view::npos;
}

Result<> Substitutions::refuse_unused() const {
  for (const auto& [name, value] : values_)
    if (!value.used)
      return fail(
          fmt::format("vdbench: {}={} is used nowhere: no ${} or !{} in the parameter files", name,
                      value.text, name, name));
  return {};
}

std::vector<SourceLine> repeat_for_hosts(std::vector<SourceLine> lines,
                                         const std::vector<std::string>& hosts) {
  for (SourceLine& line : lines) replace_all(line, "#hosts", std::to_string(hosts.size()));
  std::vector<SourceLine> out;
  for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
    bool named = names_a_host(lines[begin].text);
    for (end = begin + 1; end < lines.size() && !begins_definition(lines[end].text); ++end)
      named = named || names_a_host(lines[end].text);
    const bool repeat = named && begins_definition(lines[begin].text);
    for (std::size_t host = 0; host < (repeat ? hosts.size() : 1); ++host)
      for (std::size_t i = begin; i < end; ++i) {
        SourceLine line = lines[i];
        if (repeat) {
          replace_all(line, "$host", hosts[host]);
          replace_all(line, "!host", hosts[host]);
          replace_all(line, "#host", std::to_string(host));
        }
        out.push_back(std::move(line));
      }
  }
  return out;
}

}  // namespace stallproof
