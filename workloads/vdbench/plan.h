// SPDX-License-Identifier: Apache-2.0
// The runs that parameter files ask for, in the order in which vdbench would make them: loops and
// curves written out, formats put in front. Pure, but for the look at host names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "workloads/vdbench/definitions.h"

namespace stallproof {

// What the command line says about all runs (-e, -i, -w in seconds; -v).
struct PlanOptions {
  std::optional<double> elapsed, interval, warmup;
  bool validate = false;
  bool read_after_write = false, no_preread = false, keep_times = false;  // -vr, -vw, -vt
  FormatOverride format = FormatOverride::none;
  std::string run_extras;  // behind '+': added to each rd=
};

struct LoopValue {
  std::string name;  // as the plan shows it
  double value = 0;
};

// A workload of a run with the SDs it uses, as indexes of ParameterSet::sds.
struct RawWorkload {
  WorkloadDefinition wd;
  std::vector<std::size_t> sds;
};

// A workload of a run with the FSDs it uses, as indexes of ParameterSet::fsds.
struct FileWorkload {
  FileWorkloadDefinition fwd;
  std::vector<std::size_t> fsds;
  std::size_t hosts = 1;
};

struct PlannedRun {
  std::string name;
  std::size_t rd = 0;        // index of ParameterSet::runs
  double curve_percent = 0;  // of the maximum that the run before the curve measured; 0: no point
  std::shared_ptr<const std::vector<RawWorkload>> workloads;  // of SDs; shared by a run's loops
  std::shared_ptr<const std::vector<FileWorkload>> file_workloads;  // the same of FSDs
  bool format = false;     // made by format=: no rate of its own, and time only when limited
  double rate = 0;         // per second; kMaxRate, kCurveRate; 0: nobody gave one
  bool controlled = true;  // the rate, or the shares of several workloads, is kept
  bool bursts = false;
  std::optional<double> elapsed;  // seconds; none: until done
  double warmup = 0;              // seconds, before elapsed
  std::vector<LoopValue> loops;
  std::vector<LoopValue> format_loops;  // of a format: what changes the trees it makes
  Place place;
};

struct Plan {
  bool file_systems = false;
  ParameterSet set;  // what the runs refer to
  std::vector<PlannedRun> runs;
  std::vector<std::string> ignored;  // keywords that were read and do nothing here
};

// Files of any number, `words` are name=value of the command line.
Result<Plan> plan_parameter_files(const std::vector<std::string>& files,
                                  const std::vector<std::string>& words,
                                  const PlanOptions& options);

// A curve is planned with this many I/Os a second as the maximum it would measure.
constexpr double kAssumedMaximum = 10'000;
// So many runs are a mistake in a loop.
constexpr std::size_t kMostRuns = 200'000;

}  // namespace stallproof
