// SPDX-License-Identifier: Apache-2.0
// A saved run judged once more with other thresholds: what its own verdict says and what it would
// be, side by side. Reads the run directory and changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/detect/detector.h"
#include "harness/run/judge/series_detect.h"
#include "harness/run/plan/plan_verdict.h"
#include "harness/store/run_read.h"

namespace stallproof {

// What is not given is as in the run.
struct JudgeWords {
  std::optional<Nanos> stall_after, fail_after;
  std::optional<double> dropout_below;
};

// A stall in the eyes of the run, of the new thresholds, or of both.
struct JudgedStall {
  std::string id;  // of the run's own incident; empty: the run did not call it one
  std::vector<std::string> loads;
  double onset_ms = 0;
  std::optional<double> resolved_ms;  // absent: never
  double inexact_ms = 0;              // 0: the run itself measured it
  bool in_circle = false;             // found twice: it fails by any threshold
  bool was_failing = false;
  bool is_stall = false, is_failing = false;  // now
};

struct JudgedDoubt {
  std::string load;
  double from_ms = 0, until_ms = 0;
  bool may_fail = false;
};

struct JudgedRun {
  StoredRun run;
  Thresholds before, now;       // of the run as a whole
  bool own_thresholds = false;  // some load has its own, and keeps what was not given
  double judged_ms = 0;         // so long are its series
  double fine_ms = 0;           // of that every 100 ms, the rest every second
  std::vector<JudgedStall> stalls;
  std::vector<JudgedDoubt> doubts;  // where a stall may have been and cannot be told
  std::vector<DropoutEntry> dropouts;
  PlanOutcome outcome;
  std::vector<std::string> notes;  // for people: what the series cannot tell, what was damaged
};

// An error: thresholds that contradict each other, or (infra) series that are missing.
Result<JudgedRun> judge_again(StoredRun run, const JudgeWords& words);

}  // namespace stallproof
