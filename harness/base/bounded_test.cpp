// SPDX-License-Identifier: Apache-2.0
#include "harness/base/bounded.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace stallproof {
namespace {

TEST(Bounded, ResultOfTheWorkComesBack) {
  EXPECT_EQ(run_bounded([] { return 0; }, Deadline::in(5 * kSecond)), 0);
  EXPECT_EQ(run_bounded([] { return EBUSY; }, Deadline::in(5 * kSecond)), EBUSY);
}

TEST(Bounded, WorkThatNeverReturnsIsAbandonedAtTheDeadline) {
  const Nanos before = monotonic_now();
  const auto hang = [] {
    for (;;) ::pause();
    return 0;
  };
  EXPECT_EQ(run_bounded(hang, Deadline::in(50 * kMillisecond)), ETIMEDOUT);
  EXPECT_LT(monotonic_now() - before, 5 * kSecond);
}

TEST(Bounded, ReadsAFileAndNamesAMissingOne) {
  EXPECT_FALSE(read_file_bounded("/proc/self/status", Deadline::in(kSecond))->empty());
  const auto missing = read_file_bounded("/nonexistent/x", Deadline::in(kSecond));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("/nonexistent/x"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
