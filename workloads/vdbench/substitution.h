// SPDX-License-Identifier: Apache-2.0
// Text that is replaced before anything is parsed: $name and !name by name=value of the command
// line, and $host, !host, #host and #hosts by the hosts of the file. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/vdbench/source_line.h"

namespace stallproof {

class Substitutions {
 public:
  Result<> add(std::string_view word);  // "name=value"
  // An Error when the line asks for a name that nobody gave.
  Result<SourceLine> apply(SourceLine line);
  // Names in a comment count as asked for.
  void note_comment(std::string_view line);
  // An Error when a name was given that no line asked for.
  [[nodiscard]] Result<> refuse_unused() const;

 private:
  struct Value {
    std::string text;
    bool used = false;
  };
  // Long names first: $sizes must not be taken for $size followed by an s.
  struct LongFirst {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    }
  };
  std::map<std::string, Value, LongFirst> values_;
};

// A definition (sd, fsd, wd, fwd, rd and its following lines) that names $host, !host or #host is
// repeated for each host.
std::vector<SourceLine> repeat_for_hosts(std::vector<SourceLine> lines,
                                         const std::vector<std::string>& hosts);

}  // namespace stallproof
