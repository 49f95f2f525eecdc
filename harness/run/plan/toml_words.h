// SPDX-License-Identifier: Apache-2.0
// Values as TOML text, exact: what is read back is what was written. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

std::string toml_quoted(std::string_view text);
// In quotes, in the largest unit that leaves no remainder.
std::string toml_duration(Nanos span);
std::string toml_size(std::uint64_t bytes);
// A whole number as it is, everything else in quotes.
std::string toml_value(const std::string& value);
std::string toml_names(const std::vector<std::string>& names);
// What may stand behind a #: one line.
std::string toml_comment(std::string_view text);

}  // namespace stallproof
