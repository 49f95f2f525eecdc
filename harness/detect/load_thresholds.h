// SPDX-License-Identifier: Apache-2.0
// Thresholds by load, since the targets of one plan may be of different kinds: those of the run,
// but where a load has its own. Fixed size; no allocation after construction.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "harness/base/clock.h"
#include "harness/board/board.h"
#include "harness/detect/detector.h"

namespace stallproof {

struct OwnThresholds {
  std::uint32_t load = 0;  // index on the board
  Thresholds thresholds;
};

class LoadThresholds {
 public:
  // Not explicit: where no load has its own, the run's are meant.
  LoadThresholds(const Thresholds& run, const std::vector<OwnThresholds>& own = {}) {
    of_.fill(run);
    for (const OwnThresholds& each : own)
      if (each.load < of_.size()) of_[each.load] = each.thresholds;
  }
  [[nodiscard]] const Thresholds& of(std::size_t load) const { return of_[load]; }
  [[nodiscard]] Nanos longest_stall_after() const {
    Nanos longest = 0;
    for (const Thresholds& each : of_) longest = std::max(longest, each.stall_after);
    return longest;
  }

 private:
  std::array<Thresholds, kMaxLoads> of_;
};

}  // namespace stallproof
