// SPDX-License-Identifier: Apache-2.0
#include "harness/run/coordinate/clock_bounds.h"

#include <algorithm>

namespace stallproof {

// A clock that was set in between makes the two contradict each other: what is newer counts.
void ClockBounds::at_least(std::int64_t offset) {
  least_ = std::max(least_.value_or(offset), offset);
  if (most_ && *most_ < *least_) most_.reset();
}

void ClockBounds::at_most(std::int64_t offset) {
  most_ = std::min(most_.value_or(offset), offset);
  if (least_ && *least_ > *most_) least_.reset();
}

std::int64_t ClockBounds::apart_at_least() const {
  if (least_ && *least_ > 0) return *least_;
  if (most_ && *most_ < 0) return -*most_;
  return 0;
}

}  // namespace stallproof
