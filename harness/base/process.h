// SPDX-License-Identifier: Apache-2.0
// Child processes that may never die. A child runs this same executable in another role; it is
// waited for with a deadline only, because a child stuck in the kernel ignores even SIGKILL.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace stallproof {

class Child {
 public:
  // Starts `stallproof child ROLE ARGS…` from /proc/self/exe. The descriptors in `keep` stay open
  // under their own numbers; every other one is closed. The child gets SIGKILL when the calling
  // thread dies (PR_SET_PDEATHSIG), so spawn from the main thread.
  // `program`: another copy of it to run, where the kernel can (sealed_program.h; 3.19).
  static Result<Child> spawn(std::string_view role, const std::vector<std::string>& args,
                             const std::vector<int>& keep, int program = -1);
  // Starts `stallproof WORDS…` as a person would, with these as its stdout and stderr. It is asked
  // to end (SIGTERM) when the calling thread dies.
  static Result<Child> spawn_command(const std::vector<std::string>& words, int out, int err);

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when the child is a zombie: for poll(2). Invalid where pidfd_open is missing (< 5.3).
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // Exit status as waitpid gives it, once; nullopt while it runs. Never blocks.
  std::optional<int> try_reap();
  // Polls until reaped or the deadline passes.
  std::optional<int> reap_by(Deadline deadline);
  void signal(int number) const;
  [[nodiscard]] bool reaped() const { return status_.has_value(); }

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
  std::optional<int> status_;
};

// "exit 3" or "killed by signal 9 (Killed)".
std::string describe_status(int wait_status);

// The two ends of a pipe, close-on-exec. A child reports one line on it: "ready", or what failed,
// led by whose fault it was ("user: …", "lacking: …"; without a word: infrastructure).
struct Pipe {
  Fd read_end;
  Fd write_end;
  static Result<Pipe> create();
};

// First line a child wrote on its ready pipe; an error line, with its origin, or an early death
// becomes an Error.
Result<> wait_ready(const Fd& read_end, std::string_view who, Deadline deadline);
// The child's side. Called once.
void report_ready(int ready_fd);
void report_failure(int ready_fd, const std::string& what);
void report_failure(int ready_fd, const Error& error);

}  // namespace stallproof
