// SPDX-License-Identifier: Apache-2.0
#include "harness/run/foreign_command.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include "harness/base/clock.h"

namespace stallproof {
namespace {

bool ended_by(ForeignCommand& command, Deadline deadline) {
  while (!command.status() && !deadline.passed()) {
    command.reap({});
    ::poll(nullptr, 0, 2);
  }
  return command.status().has_value();
}

TEST(ForeignCommand, RunsOnlyWhenToldTo) {
  auto command = ForeignCommand::prepare({.words = {"sh", "-c", "exit 7"}});
  ASSERT_TRUE(command);
  ::poll(nullptr, 0, 50);
  command->reap({});
  EXPECT_FALSE(command->status());
  ASSERT_TRUE(command->go());
  ASSERT_TRUE(ended_by(*command, Deadline::in(5 * kSecond)));
  EXPECT_EQ(shell_status(*command->status()), 7);
}

TEST(ForeignCommand, KilledOneGivesTheSignalAsAShellDoes) {
  auto command = ForeignCommand::prepare({.words = {"sh", "-c", "kill -9 $$"}});
  ASSERT_TRUE(command);
  ASSERT_TRUE(command->go());
  ASSERT_TRUE(ended_by(*command, Deadline::in(5 * kSecond)));
  EXPECT_EQ(shell_status(*command->status()), 128 + SIGKILL);
}

TEST(ForeignCommand, WhatCannotBeRunIsAnError) {
  auto command = ForeignCommand::prepare({.words = {"/etc/passwd"}});
  ASSERT_TRUE(command);
  EXPECT_FALSE(command->go());
  EXPECT_TRUE(ended_by(*command, Deadline::in(5 * kSecond)));
}

TEST(ForeignCommand, OneNeverStartedIsEnded) {
  pid_t pid = 0;
  {
    auto command = ForeignCommand::prepare({.words = {"true"}});
    ASSERT_TRUE(command);
    pid = command->pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ForeignCommand, ProgramsAreFoundAsAShellFindsThem) {
  EXPECT_NE(find_program("sh"), "");
  EXPECT_EQ(find_program("no-such-program-here"), "");
  EXPECT_EQ(find_program("/etc/passwd"), "");
}

}  // namespace
}  // namespace stallproof
