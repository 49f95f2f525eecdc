// SPDX-License-Identifier: Apache-2.0
#include "harness/base/event_rate.h"

#include <boost/math/special_functions/gamma.hpp>

namespace stallproof {
namespace {

constexpr double kConfidence = 0.95, kTail = (1 - kConfidence) / 2;

}  // namespace

double poisson_upper_bound(std::uint64_t events, double confidence) {
  return boost::math::gamma_p_inv(static_cast<double>(events) + 1, confidence);
}

EventRate event_rate(std::uint64_t events, double exposure) {
  if (!(exposure > 0)) return {};
  const auto count = static_cast<double>(events);
  const double low = events == 0 ? 0 : boost::math::gamma_p_inv(count, kTail);
  const double high = poisson_upper_bound(events, events == 0 ? kConfidence : 1 - kTail);
  return {count / exposure, low / exposure, high / exposure};
}

}  // namespace stallproof
