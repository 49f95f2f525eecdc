// SPDX-License-Identifier: Apache-2.0
// Totals to report in tests, and reports taken apart. Test builds only.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "workloads/io/io_totals.h"

namespace stallproof {

inline constexpr const char* kTime = "10:35:35.004";

// Each of the same size and time.
inline OpTotals operations(std::uint64_t count, std::uint64_t size, double each_us, double max_us) {
  const auto times = static_cast<double>(count);
  OpTotals totals{.count = count,
                  .bytes = count * size,
                  .response_us = times * each_us,
                  .response_us_squared = times * each_us * each_us,
                  .max_us = max_us};
  const auto edge = std::ranges::upper_bound(kResponseEdgesUs, static_cast<std::uint64_t>(each_us));
  totals.buckets[static_cast<std::size_t>(edge - kResponseEdgesUs.begin())] = count;
  return totals;
}

inline std::vector<std::string> fields(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string field; in >> field;) out.push_back(field);
  return out;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace stallproof
