// SPDX-License-Identifier: Apache-2.0
// A floating-point number as a whole one, as Java casts it: towards zero, what does not fit becomes
// the nearest value that does, NaN becomes 0. (C++ leaves those casts undefined.) Pure.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

namespace stallproof {

template <std::integral Whole>
Whole saturated(double value) {
  using Limits = std::numeric_limits<Whole>;
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(Limits::min())) return Limits::min();
  if (value >= static_cast<double>(Limits::max())) return Limits::max();
  return static_cast<Whole>(value);
}

}  // namespace stallproof
