// SPDX-License-Identifier: Apache-2.0
// What a run that never reached its end had written down: its stalls and what was done until then.
// Blocking: reads files of the run directory; what is cut or missing is left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/store/verdict.h"

namespace stallproof {

struct KilledRun {
  std::string scenario;  // of repro; empty otherwise
  double last_ms = 0;    // the last moment that is written down, since the run's start
  // Failing: confirmed by a second look, lasting, or never resolved.
  std::vector<StallEntry> stalls;
  std::map<std::string, WorkloadEntry> workloads;  // totals until then
  bool crash_asked = false;                        // by --on-stall panic
  std::vector<std::string> problems;
};

KilledRun read_killed_run(const std::string& directory);

// What a failing stall must last, where the run did not get to say it: the commands' own default.
double default_fail_after_ms(const KilledRun& run);

}  // namespace stallproof
