// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/arrivals.h"

#include <algorithm>
#include <cmath>

namespace stallproof {
namespace {

constexpr double kLongestGap = 180.0 * kSecond;
constexpr double kFirstDeterministic = 100.0 * kMillisecond;

// In (0, 1], so that its logarithm is finite.
double unit(Prng& prng) { return static_cast<double>((prng.next() >> 11U) + 1) * 0x1p-53; }

}  // namespace

Arrivals::Arrivals(Nanos start, double per_second, ArrivalDistribution distribution,
                   std::uint64_t seed)
    : due_(static_cast<double>(start)),
      mean_(static_cast<double>(kSecond) / per_second),
      distribution_(distribution),
      prng_(seed) {}

double Arrivals::gap() {
  switch (distribution_) {
    case ArrivalDistribution::exponential:
      return std::min(-std::log(unit(prng_)) * mean_, kLongestGap);
    case ArrivalDistribution::uniform:
      return unit(prng_) * 2 * mean_;
    case ArrivalDistribution::deterministic:
      break;
  }
  const double span = first_ ? kFirstDeterministic : mean_;
  first_ = false;
  return span;
}

Nanos Arrivals::next() {
  due_ += gap();
  return static_cast<Nanos>(due_);
}

}  // namespace stallproof
