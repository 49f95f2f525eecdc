// SPDX-License-Identifier: Apache-2.0
// A command that is not ours, run under the watchdog: started late, never killed. Controller only,
// main thread only. Its orphans become our children (PR_SET_CHILD_SUBREAPER), so that a command
// that forks away is still known; it gets our stdin and stderr and outlives us when we are killed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class ForeignCommand {
 public:
  struct Options {
    std::vector<std::string> words;
    bool stdout_to_stderr = false;  // our stdout carries one JSON document and nothing else
  };
  // Forks, and waits with the exec until go(). No watchdog, file or mount exists yet for it.
  static Result<ForeignCommand> prepare(const Options& options);
  ForeignCommand(ForeignCommand&& other) noexcept;
  ForeignCommand& operator=(ForeignCommand&&) = delete;
  // Never started: ends the waiting child. Started: leaves it alone.
  ~ForeignCommand();

  // Execs. An Error (it is not there, it may not be run) ends the child.
  Result<> go();
  // Collects what ended, the command and orphans of it. True when the command has ended now.
  bool reap(const std::vector<pid_t>& not_these);

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when the command has ended; -1 before Linux 5.3.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // As waitpid gives it; nullopt while it runs.
  [[nodiscard]] std::optional<int> status() const { return status_; }
  // Calls of read and write kind made by the command and those of its descendants that it waited
  // for, read from the zombie; nullopt where that cannot be read.
  [[nodiscard]] std::optional<std::uint64_t> calls_made() const { return calls_; }
  void signal(int number) const;

 private:
  ForeignCommand() = default;
  pid_t pid_ = -1;
  Fd pidfd_, go_, failure_;
  bool started_ = false;
  std::optional<int> status_;
  std::optional<std::uint64_t> calls_;
};

// The exit code of a shell for it: 128 + the signal that killed it.
int shell_status(int wait_status);
// Where execvp would find it; empty when nowhere (exit code 127).
std::string find_program(const std::string& name);

}  // namespace stallproof
