// SPDX-License-Identifier: Apache-2.0
// How long this machine was suspended: what CLOCK_MONOTONIC does not count.
#pragma once

#include "harness/base/clock.h"

namespace stallproof {

// Since it was started. Two clocks are read, one behind the other: what is shorter than some
// milliseconds is no suspend.
inline Nanos suspended_now() {
  const Nanos monotonic = monotonic_now();
  const Nanos boottime = boottime_now();
  return boottime > monotonic ? boottime - monotonic : 0;
}

}  // namespace stallproof
