// SPDX-License-Identifier: Apache-2.0
#include "harness/base/tsc_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace stallproof {
namespace {

// Differences to the kernel's clock, each the least that explains what was read: 0 when the answer
// lies between two readings of the kernel's clock.
std::vector<Nanos> differences(TscClock& clock, Nanos span) {
  std::vector<Nanos> found;
  const Deadline end = Deadline::in(span);
  while (!end.passed()) {
    const Nanos before = monotonic_now();
    const Nanos at = clock.now();
    const Nanos after = monotonic_now();
    found.push_back(at < before ? before - at : at > after ? at - after : 0);
  }
  return found;
}

TEST(TscClock, AgreesWithTheKernelsClock) {
  TscClock clock;
  const auto found = differences(clock, 100 * kMillisecond);
  EXPECT_LT(*std::max_element(found.begin(), found.end()), 1000U);
}

TEST(TscClock, IsTheKernelsClockWhereTheCounterIsNotTrusted) {
  TscClock clock(false);
  const auto found = differences(clock, 5 * kMillisecond);
  EXPECT_EQ(*std::max_element(found.begin(), found.end()), 0U);
}

TEST(TscClock, NeverGoesBack) {
  TscClock clock;
  Nanos last = clock.now();
  for (int reading = 0; reading < 1'000'000; ++reading) {
    const Nanos at = clock.now();
    ASSERT_GE(at, last);
    last = at;
  }
}

TEST(TscClock, IsRightAfterASleep) {
  TscClock clock;
  differences(clock, 5 * kMillisecond);
  const timespec wait{0, 30'000'000};
  ::nanosleep(&wait, nullptr);
  const auto found = differences(clock, kMillisecond);
  EXPECT_LT(found.front(), 1000U);
}

}  // namespace
}  // namespace stallproof
