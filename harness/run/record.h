// SPDX-License-Identifier: Apache-2.0
// `stallproof record`: the memory-map activity of one process as a profile that can be replayed.
// Recorded is the process itself with all its threads; processes that it starts have maps of their
// own and are named, not recorded. Nothing of it is stopped or ended; a command that still runs
// when the recording ends goes on. Controller, main thread; blocks until the recording ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/sink/console.h"

namespace stallproof {

struct RecordOptions {
  std::vector<std::string> command;  // or:
  std::optional<int> pid;            // a process or one of its threads
  std::optional<Nanos> duration;
  std::string out;     // the profile; empty: below the state directory, named by program and time
  bool force = false;  // `out` may exist; a pipe or device is written to
};

// The exit code: 0 a complete profile was written (or the command's own code, when it ended by
// itself); 3 calls are missing in it, or there was none; 127 the command is not there. Errors:
// user (no such process, `out` exists), lacking (no root, no BPF), infra (not written).
Result<int> run_record(const RecordOptions& options, Console& console);

}  // namespace stallproof
