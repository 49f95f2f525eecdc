// SPDX-License-Identifier: Apache-2.0
// When a stall fails its run: the one rule of runs that go on, of postmortem and of judge. Pure.
#pragma once

#include <optional>

#include "harness/base/clock.h"

namespace stallproof {

struct StallRule {
  Nanos fail_after = 0;
  std::optional<Nanos> allowed;  // by a mark
  bool in_circle = false;        // its tasks were found waiting for each other, twice
};

inline constexpr Nanos kNeverEnded = ~Nanos{0};

// Tasks that wait in a circle never go on; others fail when they last for `fail_after`. Where a
// mark allows a stall, only by outlasting that.
constexpr bool is_failing(Nanos lasted, const StallRule& rule) {
  if (rule.allowed) return lasted > *rule.allowed;
  return lasted >= rule.fail_after || rule.in_circle;
}

}  // namespace stallproof
