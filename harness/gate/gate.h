// SPDX-License-Identifier: Apache-2.0
// May we ship? Runs in, one answer out: pass only when every run was finished, seen, worked enough
// and met its canary, and none had a failing stall or wrong data; with a baseline also only when
// nothing became slower. Pure: all that it reads is in the runs.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/gate/gated_run.h"
#include "harness/gate/known_stalls.h"
#include "harness/gate/regression.h"

namespace stallproof {

struct GateOptions {
  std::vector<KnownStall> known;
  std::string today;       // YYYY-MM-DD
  double min_hours = 0;    // node-hours
  bool no_canary = false;  // runs without one count; one that did not pass never does
  double min_effect = 0.03;
};

// A failing stall of some run.
struct GateStall {
  std::string run, node;
  std::string shown_by;  // as of GatedRun
  StallEntry entry;
  std::vector<std::string> loads;  // that stood; empty when nobody wrote it down
  std::optional<StoredExplanation> explanation;
  std::string explanation_text;
  std::optional<KnownStall> known;  // it does not fail the gate
};

// A fact about one run, or about all together (run empty).
struct GateFinding {
  std::string run, node;
  std::string load;  // empty: about the run
  std::string what;
};

struct KnownUse {
  KnownStall known;
  std::size_t seen = 0;
  bool expired = false;
};

struct GateReport {
  Outcome outcome = Outcome::unknown;
  int exit_code = 3;
  std::string build;  // empty: no label
  std::size_t runs = 0;
  std::set<std::string> nodes;
  double node_hours = 0;              // of runs that count: finished and seen
  std::optional<double> rate_bound;   // stalls per node-hour, 95 %; absent without any node-hour
  std::vector<GateStall> stalls;      // failing, known ones too
  std::vector<GateFinding> failures;  // other than stalls: wrong data, failed I/O, …
  std::vector<GateFinding> doubts;    // why it is not known
  std::vector<GateFinding> notes;     // they decide nothing
  std::vector<KnownUse> known;
  std::size_t resolved_stalls = 0;  // that did not fail
  std::size_t canaries_seen = 0;
  std::size_t canaries_absent = 0;
  std::string baseline_build;
  std::optional<Comparison> comparison;  // with a baseline

  [[nodiscard]] std::size_t new_stalls() const;
  [[nodiscard]] std::size_t known_stalls() const { return stalls.size() - new_stalls(); }
  [[nodiscard]] std::vector<const MetricChange*> changed(Change change) const;
};

// An error, for the user to mend: the same run twice, builds mixed, a baseline of something else.
Result<GateReport> judge_gate(const std::vector<GatedRun>& runs,
                              const std::vector<GatedRun>& baseline, const GateOptions& options);

// One run by itself: its failing stalls, failures, doubts and notes, into `report`.
void judge_gated_run(const GatedRun& run, const GateOptions& options, GateReport& report);

// The runs against the baseline: report.comparison, doubts and notes. An error: something else was
// run there.
Result<> judge_baseline(const std::vector<GatedRun>& runs, const std::vector<GatedRun>& baseline,
                        const GateOptions& options, GateReport& report);

// The first line of every form of the answer.
std::string gate_sentence(const GateReport& report);

}  // namespace stallproof
