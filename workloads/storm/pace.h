// SPDX-License-Identifier: Apache-2.0
// When the next call of a storm is due, on an absolute schedule: what a late thread missed is made
// up for, unless it is late by more than kMadeUpFor, as after a stall: that gives no burst.
#pragma once

#include <cstdint>

#include "harness/base/clock.h"
#include "harness/base/prng.h"
#include "harness/base/result.h"
#include "harness/base/settings.h"

namespace stallproof {

// Between two calls: drawn evenly from [least, most]. Both 0: as fast as possible.
struct Gap {
  Nanos least = 0;
  Nanos most = 0;
};

// The burst-calls and burst-every of a load; calls == 0: no bursts.
struct Bursts {
  std::uint64_t calls = 0;
  Nanos every = 0;
};

class Pace {
 public:
  static constexpr Nanos kMadeUpFor = 10 * kMillisecond;

  Pace() = default;  // as fast as possible
  explicit Pace(Gap gap) : gap_(gap) {}
  explicit Pace(Bursts bursts) : bursts_(bursts) {}
  // What a load was told: bursts, else `rate` calls a second, else `measured` where rate is 0.
  // Units of `calls` calls each are paced as one.
  static Result<Pace> of(const Settings& settings, Gap measured, unsigned calls = 1,
                         const char* rate = "mprotect-rate");

  [[nodiscard]] bool unlimited() const { return bursts_.calls == 0 && gap_.most == 0; }
  // CLOCK_MONOTONIC time of the next call; `now` begins the schedule when it is asked first.
  Nanos next(Nanos now, Prng& prng);

 private:
  Nanos next_of_burst(Nanos now);

  Gap gap_;
  Bursts bursts_;
  Nanos due_ = 0;
  std::uint64_t left_in_burst_ = 0;
};

}  // namespace stallproof
