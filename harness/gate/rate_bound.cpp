// SPDX-License-Identifier: Apache-2.0
#include "harness/gate/rate_bound.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numbers>

#include "harness/base/event_rate.h"

namespace stallproof {
namespace {

constexpr std::size_t kLeastRuns = 5;
constexpr double kEfficiency = 3 / std::numbers::pi;

double normal_quantile(double probability) {
  return boost::math::quantile(boost::math::normal(), probability);
}

// Runs a side for a difference of `effect` to stand out by `deviations` standard deviations.
std::size_t runs_for(double variation, double effect, double deviations) {
  const double runs = 2 * std::pow(deviations * variation / effect, 2) / kEfficiency;
  return runs < 1e9 ? static_cast<std::size_t>(std::ceil(runs)) : std::size_t{1'000'000'000};
}

}  // namespace

double rate_upper_bound(std::uint64_t count, double hours) {
  return poisson_upper_bound(count, 0.95) / hours;
}

std::size_t runs_needed(double variation, const RunsNeeded& wanted) {
  const double found = normal_quantile(wanted.power);
  const double significant = normal_quantile(1 - wanted.alpha / 2);
  const std::size_t for_test = runs_for(variation, wanted.slowdown, significant + found);
  const std::size_t for_size = runs_for(variation, wanted.slowdown - wanted.min_effect, found);
  return std::max({kLeastRuns, for_test, for_size});
}

}  // namespace stallproof
