// SPDX-License-Identifier: Apache-2.0
// From a planned run of FSDs and FWDs to the job that a worker executes: trees, threads, shares,
// flags; or the format in front of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "workloads/files/file_job.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {

struct FileRunInput {
  const ParameterSet& set;
  const PlannedRun& run;
  double measured_maximum = 0;  // of the last run without a rate, for curves
};

// A run as it is executed.
struct FileRun {
  FileJob job;
  std::vector<std::string> workloads;  // names of FWDs, by JobFileWorkload::workload
  std::vector<std::size_t> fsds;       // indexes of ParameterSet::fsds, by anchor of the job
  double rate = 0;                     // asked for, per second; kMaxRate for none
};

// Slots are given out from 0 on, in the order of the job's workloads. Of several hosts this is the
// part of one.
Result<FileRun> file_run_of(const FileRunInput& input);

}  // namespace stallproof
