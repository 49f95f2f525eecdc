// SPDX-License-Identifier: Apache-2.0
// The lines of parameter files that mean something: comments and blank lines left out, includes
// and command-line values put in. Several files count as one, in the order given. Blocking reads.
#pragma once

#include <string>
#include <vector>

#include "workloads/vdbench/source_line.h"
#include "workloads/vdbench/substitution.h"

namespace stallproof {

Result<std::vector<SourceLine>> read_parameter_files(const std::vector<std::string>& files,
                                                     Substitutions& substitutions);

// One parameter: keyword=value, a list with its parentheses.
struct Token {
  std::string text;
  Place place;
};

// Each line ends at its first blank; a line that ends with a comma goes on in the next one.
// `run_extras` is what follows '+' on vdbench's command line: it is added to every rd= line.
Result<std::vector<Token>> split_parameters(const std::vector<SourceLine>& lines,
                                            const std::string& run_extras);

// In quotes blank, comma, '=' and '-' mean themselves. Until a value is taken they are hidden
// behind these.
constexpr char kHiddenBlank = '\x01', kHiddenComma = '\x02', kHiddenEquals = '\x03',
               kHiddenDash = '\x04';

}  // namespace stallproof
