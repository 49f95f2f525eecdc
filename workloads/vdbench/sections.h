// SPDX-License-Identifier: Apache-2.0
// The sections of a parameter file, in the order vdbench wants them. Each reader takes parameters
// until the keyword of a later section. A keyword may be shortened to any prefix of two letters;
// the first line of a section's table that matches has it, so the order of the tables matters.
#pragma once

#include <span>

#include "workloads/vdbench/definitions.h"

namespace stallproof {

// The parameters still to be read.
class Cursor {
 public:
  explicit Cursor(const std::vector<Token>& tokens, std::size_t next = 0)
      : tokens_(tokens), next_(next) {}
  [[nodiscard]] bool at_end() const { return next_ >= tokens_.size(); }
  [[nodiscard]] Result<Parameter> peek() const;  // an Error at the end of the files
  void advance() { ++next_; }
  [[nodiscard]] std::size_t position() const { return next_; }

 private:
  const std::vector<Token>& tokens_;
  std::size_t next_;
};

enum class Match { prefix, exact, begins };  // begins: any keyword that begins so (maxdata…)

template <class Target>
struct Keyword {
  std::string_view name;
  Match match;
  Result<> (*take)(Target& target, const Parameter& parameter, ParameterSet& all);
};

inline bool matches_keyword(std::string_view name, Match match, std::string_view given) {
  if (match == Match::exact) return name == given;
  return match == Match::prefix ? name.starts_with(given) : given.starts_with(name);
}

Failure unknown_keyword(const Parameter& parameter, std::string_view section);

template <class Target>
Result<> take_parameter(std::span<const Keyword<Target>> table, std::string_view section,
                        Target& target, const Parameter& parameter, ParameterSet& all) {
  for (const Keyword<Target>& keyword : table)
    if (matches_keyword(keyword.name, keyword.match, parameter.keyword))
      return keyword.take(target, parameter, all);
  return unknown_keyword(parameter, section);
}

Result<> read_general(Cursor& cursor, ParameterSet& all);
Result<> read_hosts(Cursor& cursor, ParameterSet& all);
Result<> read_file_systems(Cursor& cursor, ParameterSet& all);
Result<> read_storage(Cursor& cursor, ParameterSet& all);
Result<> read_workloads(Cursor& cursor, ParameterSet& all);
Result<> read_file_workloads(Cursor& cursor, ParameterSet& all);
Result<> read_runs(Cursor& cursor, ParameterSet& all);

// Small takers that several sections share.
Result<> take_number(double& into, const Parameter& parameter);
Result<> take_whole(int& into, const Parameter& parameter);
Result<> take_pair(std::optional<std::array<double, 2>>& into, const Parameter& parameter);
Result<> take_multiple_of_512(double& into, const Parameter& parameter, const ParameterSet& all);
// count=(start,number)
Result<> take_count(int& start, int& count, const Parameter& parameter);
// Each definition with count= becomes that many, `copy` makes number n of them. The order is the
// one vdbench leaves them in (sd=single shows it): it skips the entry after each one it takes out.
template <class Definition, class Copy>
Result<> expand_counts(std::vector<Definition>& list, Copy copy) {
  for (bool found = true; found;) {
    found = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].count == 0) continue;
      const Definition given = list[i];
      for (int n = 0; n < given.count; ++n) {
        auto made = copy(given, given.count_start + n);
        if (!made) return Failure(made.error());
        list.push_back(std::move(*made));
        list.back().count = 0;
      }
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
      found = true;
    }
  }
  return {};
}
// Open flags are looked at when a file is opened, as in vdbench.
Names open_flags_of(const Parameter& parameter);
Failure fault_in(const Parameter& parameter, std::string_view what);
// startcmd=("command",cons|sum|log|master)
ShellCommand shell_command_of(const Parameter& parameter);

}  // namespace stallproof
