// SPDX-License-Identifier: Apache-2.0
// What can be seen of a stall through /proc where BPF is refused: tasks, their states and stacks,
// and the load of FUSE connections. Locks, their holders and queues cannot; no LockRow is invented,
// and `blind_spots` says what is missing.
//
// In this process only files that take no lock of the target are read: the lists in PID/task and
// status (3.10 to 6.18). `stack` goes through the probe child. Called by the controller or by
// explain, never in the watchdog's loop; takes at most `limit` and a little.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/probe/lock_snapshot.h"
#include "harness/probe/probe_child.h"

namespace stallproof {

struct ProcLensOptions {
  std::string proc_root = "/proc";
  std::vector<pid_t> tgids;      // every thread of these; empty: the tasks in D of all processes
  std::size_t max_tasks = 4096;  // rows
  ProbeChild* probe = nullptr;   // null: no stacks
  Nanos stack_limit = 100 * kMillisecond;  // for one stack
  Nanos limit = 2 * kSecond;               // for everything
  std::string fusectl;                     // where fusectl is mounted; empty: FUSE is not looked at
};

Result<LockSnapshot> read_proc_lens(const ProcLensOptions& options);

// "[<0>] request_wait_answer+0x95/0x220 [fuse]" and so on, innermost first. Pure.
std::vector<StackFrame> parse_proc_stack(std::string_view text);

}  // namespace stallproof
