// SPDX-License-Identifier: Apache-2.0
// What a capture collects beside tasks and locks: files of the kernel that describe the machine.
// One table line each; every source is read by a child of its own, given up on at its deadline, so
// one that hangs costs its text and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/clock.h"

namespace stallproof {

struct SourceResult {
  std::string file;  // name in the capture
  std::string text;
  std::string problem;  // empty: read whole
  double took_ms = 0;
};

// All of the table, in its order, until `deadline`; what is not reached says so.
std::vector<SourceResult> collect_sources(Deadline deadline);
// Status and cgroup of processes: files that take no lock of theirs.
SourceResult collect_processes(const std::vector<std::int32_t>& tgids, Deadline deadline);
// The whole ring of the kernel log: /dev/kmsg, else syslog(2).
SourceResult collect_kernel_log(Deadline deadline);
// Asks the kernel by sysrq for its blocked tasks, what runs on each processor and all tasks, and
// gives what it says. A kernel without sysrq, or one that refuses, is a problem.
SourceResult collect_sysrq(Deadline deadline);

}  // namespace stallproof
