// SPDX-License-Identifier: Apache-2.0
// What a run that never reached its end had written down: its stalls and what was done until then.
// Blocking: reads files of the run directory; what is cut or missing is left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/run/postmortem/unfinished_run.h"
#include "harness/store/verdict.h"

namespace stallproof {

struct KilledStall {
  StallEntry entry;                // `failing` is not judged yet
  std::vector<std::string> loads;  // empty: not written down
  bool in_circle = false;          // confirmed by a second look
};

struct KilledRun {
  std::string scenario;  // of repro; empty otherwise
  double last_ms = 0;    // the last moment that is written down, since the run's start
  RunThresholds thresholds;
  std::vector<KilledStall> stalls;
  std::vector<MarkEntry> marks;
  std::map<std::string, WorkloadEntry> workloads;  // totals until then
  bool crash_asked = false;                        // by --on-stall panic
  std::vector<std::string> problems;
};

KilledRun read_killed_run(const std::string& directory);

// A stall that stood when its node died is taken for what killed it. Where only the controller was
// killed, or nobody knows, it may have resolved since: it is judged by how long it had stood.
std::vector<StallEntry> judged_stalls(const KilledRun& run, RunEnd end);

}  // namespace stallproof
