// SPDX-License-Identifier: Apache-2.0
// The small pieces that lines of a kernel log are made of. Pure and total; what is returned points
// into what was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stallproof {

inline bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// Without blanks and line ends at both sides.
std::string_view trimmed(std::string_view text);

// The number that the text begins with, blanks before it left out.
std::optional<std::int64_t> leading_number(std::string_view text);
// The same where a pid stands: absent when it does not fit.
std::optional<std::int32_t> leading_pid(std::string_view text);

// Removes `start` from the front of `text`, if it stands there.
bool take_start(std::string_view& text, std::string_view start);

// What stands between the first `from` and the next `to`, or the end; absent without `from`.
std::optional<std::string_view> between(std::string_view text, std::string_view from,
                                        std::string_view to);

std::vector<std::string_view> words_of(std::string_view line);

bool is_hex(std::string_view word);

// "java:22": the name may hold colons, the number stands behind the last one.
struct TaskName {
  std::string_view comm;
  std::int32_t pid = 0;
};
std::optional<TaskName> task_name(std::string_view text, char separator = ':');

}  // namespace stallproof
