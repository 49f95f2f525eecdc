// SPDX-License-Identifier: Apache-2.0
// From what a vdbench execution saw to its verdict and exit code.
#pragma once

#include "harness/run/vdbench/vdbench_output.h"
#include "harness/run/vdbench/vdbench_session.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct VdbenchFacts {
  bool interrupted = false;
  std::vector<std::string> lost, impaired, failures, never_ended;
  std::vector<std::string> blind;  // stalls made on purpose that were not seen
  bool proven = false;             // all of them were
  std::string unsaved;
  std::vector<std::string> failing;  // "mmap_lock_cycle (incident 001)"
  std::size_t stalls = 0;            // failing or not
  bool worked = false;
};

struct VdbenchVerdict {
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  int vdbench_code = 157;  // as vdbench would end
  std::vector<std::string> reasons;
};

// Fails for a failing stall, an I/O that never completed, failed or wrong I/O; unknown when sight
// or a process was lost. vdbench's own code is 0 unless I/O failed or never ended, or the run did
// not come to its end: a stall that resolved, and sight that was not proven, are in the verdict
// only. Pure.
VdbenchVerdict judge_vdbench(const VdbenchFacts& facts);

// Saves and tells the verdict; the exit code that the command promises. `canary`: what became of
// the stalls made on purpose; absent where none was wanted.
int conclude_vdbench(VdbenchSession& session, VdbenchOutput& output, const VdbenchOptions& options,
                     const std::optional<CanaryEntry>& canary);

}  // namespace stallproof
