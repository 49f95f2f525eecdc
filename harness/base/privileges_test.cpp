// SPDX-License-Identifier: Apache-2.0
#include "harness/base/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <string>

namespace stallproof {
namespace {

// What is given up cannot be had back: each claim in a process of its own.
int in_a_child(const std::function<int()>& claim) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(claim());
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : -1;
}

std::uint64_t of_status(const std::string& key) {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1), nullptr, 16);
  return ~0ULL;
}

TEST(Privileges, NothingIsLeftButWhatIsKept) {
  const bool root = ::geteuid() == 0;
  EXPECT_EQ(in_a_child([root] {
              const std::uint64_t had = of_status("CapPrm");
              const bool all = give_up_all_but(kKeptByLoads);
              if (root && !all) return 1;
              const std::uint64_t wanted = had & kKeptByLoads.bits();
              if (of_status("CapEff") != wanted || of_status("CapPrm") != wanted) return 2;
              if ((of_status("CapInh") & ~kKeptByLoads.bits()) != 0) return 3;
              if (all && (of_status("CapBnd") & ~kKeptByLoads.bits()) != 0) return 4;
              return of_status("NoNewPrivs") == 1 ? 0 : 5;
            }),
            0);
}

TEST(Privileges, WhatIsGivenUpIsNotHadBackByStartingAProgram) {
  EXPECT_EQ(in_a_child([] {
              give_up_all_but(kKeptForFiles);
              ::execl("/bin/sh", "sh", "-c",
                      "eff=$(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status); "
                      "[ $((0x$eff & ~0x1f)) -eq 0 ]",
                      nullptr);
              return 127;
            }),
            0);
}

TEST(Privileges, ALoadMountsNothingAndStillOpensFiles) {
  EXPECT_EQ(in_a_child([] {
              give_up_all_but(kKeptByLoads);
              if (::mount("none", "/", "tmpfs", 0, nullptr) == 0 || errno != EPERM) return 1;
              return ::open("/dev/null", O_RDWR | O_CLOEXEC) >= 0 ? 0 : 2;
            }),
            0);
}

TEST(Privileges, AReaderOfFilesStartsNoProgramAndOpensNoSocket) {
  EXPECT_EQ(in_a_child([] {
              give_up_all_but(kKeptForFiles);
              if (!refuse_calls_beside_files()) return 1;
              if (::socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) return 2;
              if (::execl("/bin/true", "true", nullptr) == 0 || errno != EPERM) return 3;
              if (::syscall(SYS_bpf, 0, nullptr, 0) >= 0 || errno != EPERM) return 4;
              return of_status("Seccomp") == 2 ? 0 : 5;
            }),
            0);
}

TEST(Privileges, AReaderOfFilesStillReadsWritesAndForks) {
  EXPECT_EQ(in_a_child([] {
              give_up_all_but(kKeptForFiles);
              refuse_calls_beside_files();
              if (of_status("NoNewPrivs") != 1) return 1;
              const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
              if (null < 0 || ::write(null, "x", 1) != 1) return 2;
              return in_a_child([] { return 7; }) == 7 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace stallproof
