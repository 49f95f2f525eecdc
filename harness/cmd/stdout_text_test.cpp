// SPDX-License-Identifier: Apache-2.0
#include "harness/cmd/stdout_text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace stallproof {
namespace {

// The outcome of a child whose descriptor `number` is `path`: 0 when `work` says so.
template <class Work>
int in_child_with(int number, const char* path, Work work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int file = ::open(path, O_WRONLY);
    if (file < 0 || ::dup2(file, number) != number) ::_exit(100);
    ::_exit(work());
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

TEST(StdoutText, FullDiskIsAnInfrastructureErrorForShortAndLongTexts) {
  for (const std::size_t size : {1U, 1U << 20U}) {
    const std::string text(size, 'x');
    EXPECT_EQ(in_child_with(STDOUT_FILENO, "/dev/full",
                            [&] {
                              const auto written = write_stdout(text);
                              if (written) return 1;
                              return written.error().origin == Origin::infra ? 0 : 2;
                            }),
              0);
  }
}

TEST(StdoutText, TextThatArrivesIsNoError) {
  EXPECT_EQ(in_child_with(STDOUT_FILENO, "/dev/null", [] { return write_stdout("x") ? 0 : 1; }), 0);
}

// What `say` writes to stderr.
template <class Say>
std::string heard(Say say) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    say();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char part[256];
  for (ssize_t got = 0; (got = ::read(ends[0], part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return text;
}

TEST(StdoutText, ErrorIsOneLineWhateverNamesAreInIt) {
  EXPECT_EQ(heard([] { say_on_stderr("no\nsuch \x1b[31m: é"); }), "stallproof: no?such ?[31m: é\n");
}

TEST(StdoutText, QuietLeavesOutRemarksAndNoErrors) {
  const auto both = [](bool quiet) {
    leave_out_remarks(quiet);
    remark_on_stderr("seen before");
    say_on_stderr("went wrong");
  };
  EXPECT_EQ(heard([&] { both(false); }), "stallproof: seen before\nstallproof: went wrong\n");
  EXPECT_EQ(heard([&] { both(true); }), "stallproof: went wrong\n");
}

TEST(StdoutText, LostStderrIsSurvived) {
  const auto say = [] {
    say_on_stderr("nobody hears this");
    return 0;
  };
  EXPECT_EQ(in_child_with(STDERR_FILENO, "/dev/full", say), 0);
}

}  // namespace
}  // namespace stallproof
