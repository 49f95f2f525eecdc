// SPDX-License-Identifier: Apache-2.0
// Where something stands in the user's parameter files. Every error of this folder names it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct Place {
  std::string file;
  unsigned line = 0;    // 1: the first
  unsigned column = 0;  // in bytes, 1: the first; 0: of the line as a whole
};

struct SourceLine {
  std::string text;
  Place place;
  std::vector<unsigned> columns{};  // of each byte of `text`, where its line was written
};

inline Failure fault_at(const Place& place, std::string_view what) {
  if (place.column == 0) return fail(fmt::format("{}:{}: {}", place.file, place.line, what));
  return fail(fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, what));
}

}  // namespace stallproof
