// SPDX-License-Identifier: Apache-2.0
#include "workloads/vdbench/sections.h"

#include <cmath>

namespace stallproof {

Result<Parameter> Cursor::peek() const {
  if (at_end()) {
    if (tokens_.empty()) return fail("vdbench: the parameter files are empty");
    return fault_at(tokens_.back().place, "the files end here, and no run (rd=) was defined");
  }
  return parse_parameter(tokens_[next_]);
}

Failure unknown_keyword(const Parameter& parameter, std::string_view section) {
  return fault_at(parameter.place,
                  fmt::format("unknown keyword '{}' in the {} section (sections come in the order "
                              "general, hd, sd or fsd, wd or fwd, rd)",
                              parameter.keyword, section));
}

Failure fault_in(const Parameter& parameter, std::string_view what) {
  return fault_at(parameter.place, fmt::format("'{}': {}", parameter.text, what));
}

Result<> take_number(double& into, const Parameter& parameter) {
  const auto value = first_number(parameter);
  if (!value) return Failure(value.error());
  into = *value;
  return {};
}

Result<> take_whole(int& into, const Parameter& parameter) {
  const auto value = first_number(parameter);
  if (!value) return Failure(value.error());
  if (std::abs(*value) > std::numeric_limits<int>::max())
    return fault_in(parameter, "too large a number");
  into = static_cast<int>(*value);
  return {};
}

Result<> take_pair(std::optional<std::array<double, 2>>& into, const Parameter& parameter) {
  if (parameter.numbers.size() < 2)
    return fault_in(parameter, fmt::format("{}= takes two numbers, as in {}=(10,20)",
                                           parameter.keyword, parameter.keyword));
  into = {parameter.numbers[0], parameter.numbers[1]};
  return {};
}

Result<> take_multiple_of_512(double& into, const Parameter& parameter, const ParameterSet& all) {
  if (auto taken = take_number(into, parameter); !taken) return taken;
  if (std::fmod(into, 512) != 0) return fault_in(parameter, "must be a multiple of 512 bytes");
  if (all.general.validate || !all.general.dedup.empty())
    return fault_in(parameter, "not together with data validation or dedup");
  if (all.general.concatenate_sds) return fault_in(parameter, "not together with concatenatesds");
  return {};
}

Result<> take_count(int& start, int& count, const Parameter& parameter) {
  if (parameter.numbers.size() != 2 || parameter.numbers[1] < 1 || parameter.numbers[1] > 10'000 ||
      std::abs(parameter.numbers[0]) > 1e9)
    return fault_in(parameter,
                    "count=(start,number) takes two numbers, the second from 1 to 10000");
  start = static_cast<int>(parameter.numbers[0]);
  count = static_cast<int>(parameter.numbers[1]);
  return {};
}

ShellCommand shell_command_of(const Parameter& parameter) {
  ShellCommand command;
  for (const std::string& word : parameter.words) {
    if (word.starts_with("cons")) command.to_console = true;
    if (word.starts_with("sum")) command.to_summary = true;
    const bool where = word.starts_with("cons") || word.starts_with("sum") ||
                       word.starts_with("log") || word == "master" || word == "slave";
    if (!where) command.command = word;
  }
  return command;
}

Names open_flags_of(const Parameter& parameter) {
  Names flags = parameter.words;
  for (const double number : parameter.numbers) flags.push_back(fmt::format("{:.0f}", number));
  return flags;
}

}  // namespace stallproof
