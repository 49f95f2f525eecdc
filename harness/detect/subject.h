// SPDX-License-Identifier: Apache-2.0
// Words into the fixed room of a finding. No allocation: for detectors and the watchdog's loop.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "harness/detect/system_view.h"

namespace stallproof {

// What does not fit is cut.
template <class... Values>
void say(Subject& into, fmt::format_string<const Values&...> words, const Values&... values) {
  const auto end = fmt::format_to_n(into.data(), into.size() - 1, words, values...);
  *end.out = '\0';
}

inline std::string_view text_of(const Subject& subject) {
  return {subject.data(), ::strnlen(subject.data(), subject.size())};
}

}  // namespace stallproof
