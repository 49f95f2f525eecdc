// SPDX-License-Identifier: Apache-2.0
#include "workloads/storm/replay_clock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace stallproof {
namespace {

constexpr Nanos kLateness = 200 * kMillisecond;
constexpr Nanos kLongSleep = 3600 * kSecond;

}  // namespace

void ReplayClock::start(double speed) {
  nanos_per_us_ = 1000.0 / speed;
  began_ = monotonic_now();
  moved_.store(0, std::memory_order_relaxed);
  ended_.store(0, std::memory_order_release);
}

Nanos ReplayClock::due(std::uint64_t at_us) const {
  return began_ + moved() + static_cast<Nanos>(static_cast<double>(at_us) * nanos_per_us_);
}

// Who sees it first moves it; the others find themselves in time again.
void ReplayClock::move_by(Nanos late, Nanos seen) {
  moved_.compare_exchange_strong(seen, seen + late, std::memory_order_relaxed);
}

bool ReplayClock::wait_until(std::uint64_t at_us) {
  while (!ended()) {
    const Nanos seen = moved();
    const Nanos at = due(at_us), now = monotonic_now();
    if (now >= at) {
      if (now - at > kLateness) move_by(now - at, seen);
      return true;
    }
    sleep_until(at);
  }
  return false;
}

void ReplayClock::wait_for_end() {
  while (!ended()) sleep_until(monotonic_now() + kLongSleep);
}

void ReplayClock::sleep_until(Nanos at) {
  const timespec until{static_cast<time_t>(at / kSecond), static_cast<long>(at % kSecond)};
  ::syscall(SYS_futex, &ended_, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

void ReplayClock::end() {
  ended_.store(1, std::memory_order_release);
  ::syscall(SYS_futex, &ended_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace stallproof
