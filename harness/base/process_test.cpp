// SPDX-License-Identifier: Apache-2.0
#include "harness/base/process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace stallproof {
namespace {

TEST(Process, StatusIsDescribedInWords) {
  EXPECT_EQ(describe_status(3 << 8), "exit 3");
  EXPECT_NE(describe_status(SIGKILL).find("signal 9"), std::string::npos);
}

TEST(Process, ReadyLineIsUnderstood) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  report_ready(pipe->write_end.release());
  EXPECT_TRUE(wait_ready(pipe->read_end, "ffs", Deadline::in(kSecond)));
}

TEST(Process, FailureLineBecomesTheError) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  report_failure(pipe->write_end.release(), "open /dev/fuse: Permission denied");
  const auto ready = wait_ready(pipe->read_end, "ffs", Deadline::in(kSecond));
  ASSERT_FALSE(ready);
  EXPECT_NE(ready.error().what.find("/dev/fuse"), std::string::npos);
}

TEST(Process, FailureKeepsItsOrigin) {
  for (const Origin origin : {Origin::user, Origin::lacking, Origin::infra}) {
    auto pipe = Pipe::create();
    ASSERT_TRUE(pipe);
    report_failure(pipe->write_end.release(), Error{"size=0: too small\n(give 1M)", origin});
    const auto ready = wait_ready(pipe->read_end, "ffs", Deadline::in(kSecond));
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().origin, origin);
    EXPECT_EQ(ready.error().what, "start ffs: size=0: too small (give 1M)");
  }
}

TEST(Process, FailureWithoutAnOriginIsOurs) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  report_failure(pipe->write_end.release(), "users: none");
  const auto ready = wait_ready(pipe->read_end, "ffs", Deadline::in(kSecond));
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().origin, Origin::infra);
  EXPECT_EQ(ready.error().what, "start ffs: users: none");
}

TEST(Process, ChildThatDiesBeforeItIsReadyIsNoticed) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  pipe->write_end.reset();
  EXPECT_FALSE(wait_ready(pipe->read_end, "ffs", Deadline::in(kSecond)));
}

TEST(Process, SilentChildIsGivenUpAtTheDeadline) {
  auto pipe = Pipe::create();
  ASSERT_TRUE(pipe);
  EXPECT_FALSE(wait_ready(pipe->read_end, "ffs", Deadline::in(20 * kMillisecond)));
}

}  // namespace
}  // namespace stallproof
