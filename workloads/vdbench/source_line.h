// SPDX-License-Identifier: Apache-2.0
// Where something stands in the user's parameter files. Every error of this folder names it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace stallproof {

struct Place {
  std::string file;
  unsigned line = 0;  // 1: the first
};

struct SourceLine {
  std::string text;
  Place place;
};

inline Failure fault_at(const Place& place, std::string_view what) {
  return fail(fmt::format("{}:{}: {}", place.file, place.line, what));
}

}  // namespace stallproof
