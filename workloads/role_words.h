// SPDX-License-Identifier: Apache-2.0
// What the roles of a child process begin with: their ready pipe, their signals, a refusal.
// Main thread, before any other thread exists.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

// The ready=FD among the words, -1 without one: found even when other words are wrong, so that the
// refusal reaches the controller.
int ready_fd_of(const std::vector<std::string>& words);

// Says the error on the ready pipe, or on stderr without one. Returns the exit code: 2 or 3.
int refuse_role(int ready_fd, const Error& error);

// Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE for this thread and those it starts, and gives the set
// to wait on: SIGTERM ends a role; an interrupt typed at the terminal is the controller's to judge.
sigset_t block_ending_signals();

}  // namespace stallproof
