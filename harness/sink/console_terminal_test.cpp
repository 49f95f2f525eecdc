// SPDX-License-Identifier: Apache-2.0
// The console at a real terminal: a pty whose other end the test reads. Each case runs in a child,
// because it takes the process's stdout and stderr away.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <functional>

#include "harness/sink/console.h"

namespace stallproof {
namespace {

class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    ::grantpt(master_.get());
    ::unlockpt(master_.get());
    slave_ = Fd(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY));
    termios modes{};
    ::tcgetattr(slave_.get(), &modes);
    ::cfmakeraw(&modes);  // what is sent comes as it is
    ::tcsetattr(slave_.get(), TCSANOW, &modes);
    const winsize size{.ws_row = 24, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(slave_.get(), TIOCSWINSZ, &size);
  }

  // What it was sent by `work`, whose stderr and, if so wanted, stdout it is; and what that gave.
  std::pair<std::string, int> of(const std::function<int()>& work, bool stdout_too,
                                 const char* kind = "xterm") {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      ::setenv("TERM", kind, 1);
      ::setenv("NO_COLOR", "1", 1);
      ::dup2(slave_.get(), STDERR_FILENO);
      ::dup2(stdout_too ? slave_.get() : ::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return {sent(), WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
  }

 private:
  std::string sent() {
    std::string text;
    char bytes[4096];
    for (ssize_t n = 0; (n = ::read(master_.get(), bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<std::size_t>(n));
    return text;
  }
  Fd master_, slave_;
};

TEST(ConsoleAtTerminal, UndrawnStillWritesItsRows) {
  Terminal terminal;
  const auto [text, code] = terminal.of(
      [] {
        Console console({.undrawn = true});
        console.progress("1.0 s  armed");
        console.block("row\n");
        return console.can_draw() ? 1 : 0;
      },
      true);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text, "row\n");
}

TEST(ConsoleAtTerminal, WhatIsDrawnIsReplacedAndTakenAway) {
  Terminal terminal;
  const auto [text, code] = terminal.of(
      [] {
        Console console({});
        if (!console.can_draw() || console.look().width != 40) return 1;
        console.draw({{"one", 3}, {"two", 3}});
        console.draw({{"three", 5}});
        return 0;
      },
      false);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text,
            "\rone\033[K\r\ntwo\033[K\r\n\033[J"
            "\r\033[2Athree\033[K\r\n\033[J"
            "\r\033[1A\033[J");
}

TEST(ConsoleAtTerminal, TextGoesAboveWhatIsDrawn) {
  Terminal terminal;
  const auto [text, code] = terminal.of(
      [] {
        Console console({});
        console.draw({{"view", 4}});
        console.result("pass");
        return 0;
      },
      true);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text,
            "\rview\033[K\r\n\033[J"
            "\r\033[1A\033[Jpass\n"
            "\rview\033[K\r\n\033[J"
            "\r\033[1A\033[J");
}

TEST(ConsoleAtTerminal, OneThatNobodyReadsIsNotWaitedFor) {
  Terminal terminal;
  const auto [text, code] = terminal.of(
      [] {
        Console console({});
        const Nanos before = monotonic_now();
        for (int i = 0; i < 20'000; ++i) console.draw({{std::string(30, 'x'), 30}});
        return monotonic_now() - before < 5 * kSecond ? 0 : 1;
      },
      false);
  EXPECT_EQ(code, 0);
  EXPECT_GT(text.size(), 1000U);
}

TEST(ConsoleAtTerminal, NothingIsDrawnWhereItCannotBe) {
  for (const char* kind : {"dumb", ""}) {
    Terminal terminal;
    const auto [text, code] = terminal.of(
        [] {
          Console console({});
          console.draw({{"view", 4}});
          console.progress("line");
          return console.can_draw() ? 1 : 0;
        },
        false, kind);
    EXPECT_EQ(code, 0);
    EXPECT_EQ(text, "");
  }
  Terminal terminal;
  const auto [text, code] = terminal.of(
      [] {
        Console console({.quiet = true});
        console.draw({{"view", 4}});
        return console.can_draw() ? 1 : 0;
      },
      false);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace stallproof
