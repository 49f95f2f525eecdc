// SPDX-License-Identifier: Apache-2.0
// Makes the Verdict of a watch from what it saw; judges through judge_watch(). No side effects.
#pragma once

#include "harness/run/watch_run.h"

namespace stallproof {

struct WatchVerdictInput {
  const WatchOptions& options;
  const WatchTarget& target;
  const WatchState& state;
  const IncidentBook& book;
  const TargetCounters& counters;
  const Evidence& evidence;
  const std::vector<std::string>& load_names;
  std::optional<int> command_status;  // as waitpid gives it
  std::optional<std::uint64_t> command_calls;
  const CapturesEntry& captures;
  std::optional<CanaryEntry> canary;
  std::vector<MarkEntry> marks;
  const std::string& run_id;
  const std::string& unsaved;
};

Verdict make_watch_verdict(const WatchVerdictInput& input);

}  // namespace stallproof
