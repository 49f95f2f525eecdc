// SPDX-License-Identifier: Apache-2.0
// The steps of planning. Each works on what the one before left.
#pragma once

#include "workloads/vdbench/plan.h"

namespace stallproof {

Result<ParameterSet> read_parameter_set(const std::vector<std::string>& files,
                                        const std::vector<std::string>& words,
                                        const PlanOptions& options);

// Overrides of the command line, default intervals, and what their times must divide by.
Result<> settle_times(ParameterSet& all, const PlanOptions& options);

// sd=single, sd=range and sd=setsofN make a run for each set of SDs.
Result<> repeat_for_sd_sets(ParameterSet& all);

// All combinations of a run's loops; the last one changes fastest. One empty one without loops.
Result<std::vector<std::vector<LoopValue>>> combinations(const RunDefinition& rd);

// The value a loop gives here; NaN when there is no such loop.
double value_of(const std::vector<LoopValue>& loops, const std::string& name);

Result<std::vector<PlannedRun>> plan_raw_runs(ParameterSet& all);
Result<std::vector<PlannedRun>> plan_file_runs(ParameterSet& all);

// The points of a curve, behind the run that finds the maximum.
Result<> add_curve(std::vector<PlannedRun>& runs, const RunDefinition& rd, bool file_systems);

// The FSD as a run's loops and hosts change it.
Result<> apply_loops(const RunDefinition& rd, FileSystemDefinition& fsd,
                     const std::vector<LoopValue>& loops, std::size_t hosts);

PlannedRun begin_run(const RunDefinition& rd, std::vector<LoopValue> loops);

// A percentage of the assumed maximum, rounded up as vdbench does: to 100, to 10 up to 1000.
double rate_of_percentage(double percent);

}  // namespace stallproof
