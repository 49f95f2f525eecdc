// SPDX-License-Identifier: Apache-2.0
#include "harness/base/bounded.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/fd.h"

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

TEST(Bounded, AnAbandonedChildKeepsNoDescriptorOfItsParent) {
  const Fd low(::open("/dev/null", O_RDONLY));
  const Fd high(::fcntl(low.get(), F_DUPFD, 200));
  const auto count_open = [&] {
    int open = 0;
    for (const int fd : {low.get(), high.get()}) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
  };
  ASSERT_EQ(count_open(), 2);
  EXPECT_EQ(run_bounded(count_open, Deadline::in(5 * kSecond)), 0);
}

TEST(Bounded, ReadsAFileAndNamesAMissingOne) {
  EXPECT_FALSE(read_file_bounded("/proc/self/status", Deadline::in(kSecond))->empty());
  const auto missing = read_file_bounded("/nonexistent/x", Deadline::in(kSecond));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("/nonexistent/x"), std::string::npos);
}

}  // namespace
}  // namespace stallproof
