// SPDX-License-Identifier: Apache-2.0
// What a capture collects beside tasks and locks: files of the kernel that describe the machine.
// One table line each; every source is read by a child of its own, given up on at its deadline, so
// one that hangs costs its text and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/clock.h"
#include "harness/probe/kmsg_record.h"

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
// What the kernel says by sysrq (sysrq_report.h); its settings stay as they are. A kernel without
// sysrq, or one that refuses, is a problem.
SourceResult collect_sysrq(Deadline deadline);

// For callers that give each source a child of their own: what it says, as for text_bounded().
struct SourceStep {
  std::string file;
  std::function<int(int into)> work;
};
// Of the table, what is different at every moment: pressure, disks, memory, FUSE connections.
std::vector<SourceStep> moment_steps();
// {"schema", "sources": [{file, bytes, ms, problem}]}
std::string sources_json(const std::vector<SourceResult>& sources);

// All of it, or until the reader is gone.
void say(int into, std::string_view text);
// "[    2.345678] text", with a newline; "(user)" before what a process has written.
std::string kernel_log_line(const KmsgRecord& record);

}  // namespace stallproof
