// SPDX-License-Identifier: Apache-2.0
#include "workloads/workload.h"

#include <algorithm>

namespace stallproof {

void WorkerContext::pause(Nanos span) const {
  constexpr Nanos kStep = 20 * kMillisecond;
  const Nanos end = monotonic_now() + span;
  for (Nanos now = monotonic_now(); now < end && !stopping(); now = monotonic_now()) {
    const Nanos step = std::min(end - now, kStep);
    const timespec wait{0, static_cast<long>(step)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, nullptr);
  }
}

}  // namespace stallproof
