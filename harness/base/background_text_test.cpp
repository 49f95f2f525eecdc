// SPDX-License-Identifier: Apache-2.0
#include "harness/base/background_text.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace stallproof {
namespace {

TEST(BackgroundText, WhatIsSaidComesBackWithTheResult) {
  const std::string much(300'000, 'x');  // more than a pipe holds: nobody reads meanwhile
  auto text = BackgroundText::start(
      [&much](int into) {
        std::size_t at = 0;
        while (at < much.size()) {
          const ssize_t n = ::write(into, much.data() + at, much.size() - at);
          if (n <= 0) return errno;
          at += static_cast<std::size_t>(n);
        }
        return EPERM;
      },
      Deadline::in(10 * kSecond));
  ASSERT_TRUE(text);
  text->wait(Deadline::in(10 * kSecond));
  ASSERT_TRUE(text->over());
  const BoundedText got = text->take();
  EXPECT_EQ(got.error, EPERM);
  EXPECT_EQ(got.text, much);
}

TEST(BackgroundText, TheCallerGoesOnAndWhatHangsIsGivenUpWithWhatItSaid) {
  const Nanos before = monotonic_now();
  auto text = BackgroundText::start(
      [](int into) {
        if (::write(into, "begun", 5) != 5) return EIO;
        for (;;) ::pause();
      },
      Deadline::in(200 * kMillisecond));
  ASSERT_TRUE(text);
  EXPECT_FALSE(text->over());
  EXPECT_LT(monotonic_now() - before, 200 * kMillisecond);
  text->wait(Deadline::in(10 * kSecond));
  const BoundedText got = text->take();
  EXPECT_EQ(got.error, ETIMEDOUT);
  EXPECT_EQ(got.text, "begun");
}

TEST(BackgroundText, OneThatIsNoLongerWantedIsKilled) {
  pid_t child = -1;
  {
    auto text = BackgroundText::start(
        [](int into) {
          const pid_t self = ::getpid();
          if (::write(into, &self, sizeof self) != sizeof self) return EIO;
          for (;;) ::pause();
        },
        Deadline::in(10 * kSecond));
    ASSERT_TRUE(text);
    text->wait(Deadline::in(50 * kMillisecond));
    text->give_up();
    const BoundedText got = text->take();
    ASSERT_EQ(got.text.size(), sizeof child);
    std::memcpy(&child, got.text.data(), sizeof child);
  }
  ::waitpid(child, nullptr, 0);  // it may have been reaped already
  EXPECT_NE(::kill(child, 0), 0);
}

}  // namespace
}  // namespace stallproof
