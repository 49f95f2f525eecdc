// SPDX-License-Identifier: Apache-2.0
// Run time on two clocks: every *_ms of a verdict counts from `monotonic_ns`.
#pragma once

#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/units.h"

namespace stallproof {

struct RunClock {
  Nanos monotonic_ns = 0;
  Nanos realtime_ns = 0;
  // The machine was suspended: the first clock stood, the second went on. In the order they came.
  struct Suspend {
    Nanos at_ns = 0;  // its end, monotonic
    Nanos lasted_ns = 0;
  };
  std::vector<Suspend> suspends = {};
  [[nodiscard]] double ms(Nanos at) const {
    return at > monotonic_ns ? static_cast<double>(at - monotonic_ns) / 1e6 : 0;
  }
  [[nodiscard]] std::string wall_clock(Nanos at) const {
    Nanos wall = realtime_ns + (at - monotonic_ns);
    for (const Suspend& each : suspends)
      if (at >= each.at_ns) wall += each.lasted_ns;
    return format_rfc3339(wall);
  }
};

}  // namespace stallproof
