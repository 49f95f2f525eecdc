// SPDX-License-Identifier: Apache-2.0
// Each case runs in a child of its own, because it takes the process's stdout and stderr away.
#include "harness/sink/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace stallproof {
namespace {

int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    ::alarm(20);  // a write that waits for ever kills the child: the test fails
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void fill(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  char bytes[4096] = {};
  while (::write(fd, bytes, sizeof bytes) > 0) {
  }
  while (::write(fd, bytes, 1) > 0) {
  }
  ::fcntl(fd, F_SETFL, flags);
}

TEST(Console, ReaderThatDoesNotReadIsGivenUpOnce) {
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (::pipe(ends) != 0) return 9;
              fill(ends[1]);
              ::dup2(ends[1], STDOUT_FILENO);
              Console console({});
              const Nanos before = monotonic_now();
              for (int i = 0; i < 50; ++i) console.block("text\n");
              if (monotonic_now() - before > 10 * kSecond) return 8;
              return console.lost_output() ? 0 : 1;
            }),
            0);
}

TEST(Console, FullDiskAndMissingReaderAreNoticed) {
  EXPECT_EQ(in_child([] {
              ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
              Console console({.json = true});
              console.document("{}\n");
              return console.lost_output() ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (::pipe(ends) != 0) return 9;
              ::dup2(ends[1], STDOUT_FILENO);
              ::close(ends[0]);
              ::close(ends[1]);
              Console console({});
              console.result("pass");
              return console.lost_output() ? 0 : 1;
            }),
            0);
}

TEST(Console, LostStderrIsNoReasonToDie) {
  EXPECT_EQ(in_child([] {
              ::dup2(::open("/dev/full", O_WRONLY), STDERR_FILENO);
              Console console({});
              console.problem("something");
              return 0;
            }),
            0);
}

TEST(Console, ProblemIsOneLineWhateverNamesAreInIt) {
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (::pipe(ends) != 0) return 9;
              ::dup2(ends[1], STDERR_FILENO);
              Console console({.aside = true});
              console.problem("no\nsuch \x1b[31m");
              console.result("fail: \x1b[2J é");
              char got[128];
              const ssize_t n = ::read(ends[0], got, sizeof got);
              const std::string text(got, n > 0 ? static_cast<std::size_t>(n) : 0);
              return text == "stallproof: no?such ?[31m\nfail: ?[2J é\n" ? 0 : 1;
            }),
            0);
}

TEST(Console, JsonLinesEndWithTheVerdictOnOneLine) {
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (::pipe(ends) != 0) return 9;
              ::dup2(ends[1], STDOUT_FILENO);
              Console console({.json_lines = true});
              console.step(kSecond, "armed");
              console.json_line("{\"event\":\"x\"}");
              console.document("{\n  \"a b\": [\n    1\n  ]\n}\n");
              console.result("pass");
              char got[128];
              const ssize_t n = ::read(ends[0], got, sizeof got);
              const std::string text(got, n > 0 ? static_cast<std::size_t>(n) : 0);
              return text == "{\"event\":\"x\"}\n{\"event\":\"verdict\",\"a b\": [1]}\n" ? 0 : 1;
            }),
            0);
}

TEST(Console, JsonCarriesTheDocumentAndNothingElse) {
  EXPECT_EQ(in_child([] {
              int ends[2];
              if (::pipe(ends) != 0) return 9;
              ::dup2(ends[1], STDOUT_FILENO);
              Console console({.json = true});
              console.step(kSecond, "armed");
              console.block("block\n");
              console.document("{}\n");
              console.result("pass");
              char got[64];
              const ssize_t n = ::read(ends[0], got, sizeof got);
              return n == 3 && !console.lost_output() ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace stallproof
