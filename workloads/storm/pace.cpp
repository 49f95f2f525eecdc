// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/pace.h"

#include <fmt/format.h>

namespace stallproof {
namespace {

constexpr std::uint64_t kMostRate = kSecond;

Result<Bursts> read_bursts(const Settings& settings) {
  const auto calls = settings.count("burst-calls", 0);
  if (!calls) return Failure{calls.error()};
  const auto every = settings.duration("burst-every", kSecond);
  if (!every) return Failure{every.error()};
  if (*every == 0) return fail("burst-every: 0 is no time between two bursts (1s is the default)");
  return Bursts{*calls, *every};
}

}  // namespace

Result<Pace> Pace::of(const Settings& settings, Gap measured, unsigned calls, const char* name) {
  const auto bursts = read_bursts(settings);
  if (!bursts) return Failure{bursts.error()};
  const auto rate = settings.count(name, 0);
  if (!rate) return Failure{rate.error()};
  if (*rate > kMostRate)
    return fail(fmt::format("{}: {} is more than {} a second", name, *rate, kMostRate));
  if (*rate != 0 && bursts->calls != 0)
    return fail(fmt::format("{}: a burst has no rate (leave out burst-calls, or this)", name));
  if (bursts->calls != 0) return Pace(*bursts);
  if (*rate == 0) return Pace(measured);
  const Nanos gap = kSecond * calls / *rate;
  return Pace(Gap{gap, gap});
}

Nanos Pace::next_of_burst(Nanos now) {
  if (left_in_burst_ == 0) {
    due_ = due_ == 0 ? now : due_ + bursts_.every;
    if (now > due_ + bursts_.every) due_ = now;
    left_in_burst_ = bursts_.calls;
  }
  --left_in_burst_;
  return due_;
}

Nanos Pace::next(Nanos now, Prng& prng) {
  if (bursts_.calls != 0) return next_of_burst(now);
  if (due_ == 0) return due_ = now;
  due_ += gap_.least + prng.below(gap_.most - gap_.least + 1);
  if (now > due_ + kMadeUpFor) due_ = now;
  return due_;
}

}  // namespace stallproof
