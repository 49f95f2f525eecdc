// SPDX-License-Identifier: Apache-2.0
// After a crash, a reboot or a kill: what happened to a run that has no verdict, what the dead
// kernel left of it, and the verdict that closes it. Controller side; reads dumps and logs, which
// takes seconds, and journalctl for 10 s at most. Never overwrites a verdict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/explain/explanation.h"
#include "harness/run/postmortem/crash_site.h"
#include "harness/run/postmortem/unfinished_run.h"
#include "harness/store/verdict.h"

namespace stallproof {

// What the dead kernel left of the run's boot, and what it says.
struct Remains {
  FoundCrash crash;
  std::string log_where, log;  // the kernel's log; empty: none was found
  TiedBy log_by = TiedBy::nothing;
  std::optional<Explanation> by_dump, by_log;
  std::vector<std::string> notes;  // what could not be read, one line each
};
Remains look_at_remains(const UnfinishedRun& run, const std::string& root);

// Pure but for the run's own files, which it reads.
Verdict verdict_after_death(const UnfinishedRun& run, const Remains& remains);

struct ClosedRun {
  UnfinishedRun run;
  Remains remains;
  Verdict verdict;
};
// Saves postmortem/ and verdict.json in the run directory. An Error when somebody else has closed
// it meanwhile, or it cannot be written.
Result<ClosedRun> close_run(const UnfinishedRun& run, const std::string& root);

// The explanation that tells more: of the dump, else of the log; null when neither tells anything.
const Explanation* best_explanation(const Remains& remains);

}  // namespace stallproof
