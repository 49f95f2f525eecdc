// SPDX-License-Identifier: Apache-2.0
// The node is stuck now and nothing of ours was running: collects what stands, explains it, keeps
// both. Controller only, one thread. Never hangs: what may not answer is read, and what may not be
// written is written, by children with a deadline; everything is in memory before anything is
// written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/result.h"
#include "harness/capture/next_commands.h"
#include "harness/capture/tar_gz.h"
#include "harness/explain/explanation.h"

namespace stallproof {

struct CaptureOptions {
  std::optional<int> pid;  // only this process and what it waits for
  std::string mount;       // only the users and servers of this mount
  bool sysrq = false;
  Nanos deadline = 5 * kSecond;  // for everything
  std::string out;               // directory; empty: a new one under the state directory
  std::vector<std::string> fs_files;
};

struct Capture {
  Explanation explanation;
  std::vector<ArchiveFile> files;
  std::vector<std::string> problems;  // what could not be seen or kept, a line each
  bool complete = false;              // tasks and locks were seen whole
  bool kept = false;                  // directory and archive are written
  std::string directory, archive;
  std::vector<NextCommand> next;
  std::string summary_json;  // incident.json
};

// An Error is one that the user can mend (no such process, no such mount, not root).
Result<Capture> capture_this_machine(const CaptureOptions& options);

}  // namespace stallproof
