// SPDX-License-Identifier: Apache-2.0
// Runs without a verdict, and whether anybody is still going to write one. Blocking: reads files of
// run directories and of /proc; each process that is looked at takes at most 1 s.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stallproof {

// The machine that the question is asked on.
struct MachineNow {
  std::string boot_id;
  std::int64_t booted_ns = 0;  // since 1970; 0: not known
  bool here = true;            // false: the copied or mounted disk of another machine
};
// `root`: "/" is this machine.
MachineNow look_at_machine(const std::string& root);

enum class RunEnd {
  running,          // its controller lives
  node_died,        // the machine has booted since
  controller_died,  // the machine lives
  cannot_tell,
};

struct UnfinishedRun {
  std::string directory, id, boot_id, started, node, kernel, tool_version, policy = "report";
  std::map<std::string, std::string> labels;
  pid_t controller = 0;
  std::int64_t last_sign_ns = 0;  // when its files were last written; since 1970
  RunEnd end = RunEnd::cannot_tell;
  std::string why;  // one line
};

// `directory` has no verdict.json. What an older version left without a manifest is judged by the
// run's name, which ends in the controller's pid, and by times.
UnfinishedRun look_at_unfinished(const std::string& directory, const MachineNow& machine);

// Run directories below `runs` without a verdict, in the order of their names.
std::vector<std::string> unfinished_directories(const std::string& runs);

}  // namespace stallproof
