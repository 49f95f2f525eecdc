// SPDX-License-Identifier: Apache-2.0
// When a load runs: from its start to its end, and within that only in the phases that have it on.
// Pure; times are nanoseconds since the run began.
#pragma once

#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

struct SchedulePhase {
  Nanos duration = 0;  // more than 0
  bool on = true;
};

struct LoadSchedule {
  Nanos start = 0;
  Nanos end = 0;                      // 0: until the run ends
  std::vector<SchedulePhase> phases;  // from the begin of the run, again and again; none: always on

  [[nodiscard]] bool on_at(Nanos at) const;
  // True when it will not be on at `at` or at any time after.
  [[nodiscard]] bool over_at(Nanos at) const { return end != 0 && at >= end; }
  // Next time after `at` when on_at() may change; ~0 when it never does.
  [[nodiscard]] Nanos next_change(Nanos at) const;
  // On during the whole of [from, to).
  [[nodiscard]] bool on_throughout(Nanos from, Nanos to) const;
};

}  // namespace stallproof
