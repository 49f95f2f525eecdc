// SPDX-License-Identifier: Apache-2.0
// What an incident that there is not is answered with: those that there are. Pure.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "harness/base/one_line.h"

namespace stallproof {

// "one of: 001, 002", of many the first, or that there is none.
inline std::string incident_choice(const std::vector<std::string>& ids) {
  constexpr std::size_t kNamed = 20;
  if (ids.empty()) return "it has none";
  std::string text = "one of: ";
  for (std::size_t i = 0; i < ids.size() && i < kNamed; ++i)
    text += (i == 0 ? "" : ", ") + on_one_line(ids[i]);
  return ids.size() > kNamed ? text + fmt::format(" and {} more", ids.size() - kNamed) : text;
}

}  // namespace stallproof
