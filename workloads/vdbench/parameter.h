// SPDX-License-Identifier: Apache-2.0
// One parameter taken apart as vdbench takes it: numbers with their suffixes, names, lists and
// ranges. Pure.
//   size=4k          k m g t are powers of 1024, a b may follow; h is 3600
//   elapsed=2m       minutes in elapsed, interval, pause and warmup; there is no suffix s
//   iorate=50%       stored as -50
//   (1-9,2) (1-64,d) (64-1,d) (sd1-sd4)   ranges, in parentheses only
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/vdbench/parameter_files.h"

namespace stallproof {

constexpr double kMaxRate = 9'999'988;    // iorate=max, as vdbench writes it in its files
constexpr double kCurveRate = 9'999'977;  // iorate=curve

struct Parameter {
  std::string keyword;               // in lower case
  std::vector<std::string> words;    // values that are no numbers
  std::vector<double> numbers;       // values that are; never both
  std::vector<std::string> written;  // as they stand, for keywords that read them their own way
  Place place;
  std::string text;  // the whole parameter, for errors
};

// An Error also for a number beyond 1e18.
Result<Parameter> parse_parameter(const Token& token);

// Digits as Java reads a double: sign, fraction and exponent, no hexadecimal, one d or f behind.
std::optional<double> plain_number(std::string_view text);

// The value vdbench would use first; an Error where there is none of that kind.
Result<double> first_number(const Parameter& parameter);
Result<std::string> first_word(const Parameter& parameter);

}  // namespace stallproof
