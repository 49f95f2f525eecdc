// SPDX-License-Identifier: Apache-2.0
// When the I/Os of a workload with a rate are due. The schedule is absolute, as vdbench's: an I/O
// that comes late moves none behind it, so a stall is followed by all that it held up. One thread.
#pragma once

#include <cstdint>

#include "harness/base/clock.h"
#include "harness/base/prng.h"

namespace stallproof {

enum class ArrivalDistribution { exponential, uniform, deterministic };

class Arrivals {
 public:
  // `per_second` > 0. The first I/O is due one gap after `start`; deterministic ones begin 100 ms
  // after it, as in vdbench.
  Arrivals(Nanos start, double per_second, ArrivalDistribution distribution, std::uint64_t seed);

  // Never earlier than the one before. Of gaps with mean m: exponential -m ln(u), at most 180 s;
  // uniform in [0, 2m); or m.
  Nanos next();

 private:
  [[nodiscard]] double gap();

  double due_;  // nanoseconds; exact to 16 ns for 4 years of uptime
  double mean_;
  ArrivalDistribution distribution_;
  bool first_ = true;
  Prng prng_;
};

}  // namespace stallproof
