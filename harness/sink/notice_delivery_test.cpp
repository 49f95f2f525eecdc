// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/notice_delivery.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace stallproof {
namespace {

const std::string kHere = "/";

// What became of a shell script that was given this text.
std::string failure_of(const std::string& script, const std::string& text, Nanos within,
                       const std::string& directory = kHere) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> command{"/bin/sh", "-c", script};
  auto delivery = NoticeDelivery::start({.command = command, .directory = directory, .text = text},
                                        Deadline::in(within));
  if (!delivery) return delivery.error().what;
  while (!delivery->step()) {
    std::vector<pollfd> items;
    delivery->add_to(items);
    ::poll(items.data(), items.size(), 20);
  }
  return delivery->failure();
}

std::string content_of(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(NoticeDelivery, CommandReadsTheNoticeInItsDirectory) {
  const std::string directory = ::testing::TempDir() + "notice-delivery";
  std::filesystem::create_directories(directory);
  const std::string text(200'000, 'x');  // more than a pipe holds
  EXPECT_EQ(failure_of("sleep 0.05; cat >told", text, 5 * kSecond, directory), "");
  EXPECT_EQ(content_of(directory + "/told"), text + "\n");
  std::filesystem::remove_all(directory);
}

TEST(NoticeDelivery, FailureIsToldWithTheLastLine) {
  EXPECT_EQ(failure_of("echo first; echo 'connection refused' >&2; exit 7", "{}", 5 * kSecond),
            "exit 7: connection refused");
  EXPECT_EQ(failure_of("kill -9 $$", "{}", 5 * kSecond), "killed by signal 9 (Killed)");
  EXPECT_EQ(failure_of("exit 0", std::string(500'000, 'x'), 5 * kSecond), "");
}

TEST(NoticeDelivery, WhatHangsIsKilledWithItsGroup) {
  const std::string file = ::testing::TempDir() + "notice-delivery-pid";
  const Nanos before = monotonic_now();
  EXPECT_EQ(
      failure_of("sleep 60 & echo $! >" + file + "; trap '' TERM; wait", "{}", 200 * kMillisecond),
      "not done in time, killed");
  EXPECT_LT(monotonic_now() - before, 2 * kSecond);
  const pid_t sleeper = std::stoi(content_of(file));
  ::unlink(file.c_str());
  const Deadline deadline = Deadline::in(2 * kSecond);
  std::string state = "still there";
  while (!deadline.passed() && !state.empty()) {
    state = content_of("/proc/" + std::to_string(sleeper) + "/stat");
    if (state.find(") Z ") != std::string::npos) state.clear();
    ::poll(nullptr, 0, 5);
  }
  EXPECT_EQ(state, "");
}

TEST(NoticeDelivery, SignalsAreNotThoseOfTheCaller) {
  ::signal(SIGINT, SIG_IGN);
  EXPECT_EQ(failure_of("grep -q 'SigIgn:.*0000000000000000' /proc/self/status", "{}", kSecond), "");
  ::signal(SIGINT, SIG_DFL);
}

}  // namespace
}  // namespace stallproof
