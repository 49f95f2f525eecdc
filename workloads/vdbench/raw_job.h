// SPDX-License-Identifier: Apache-2.0
// From a planned run of SDs and WDs to the I/O job that a worker executes: ranges, rates, shares,
// flags. Pure; what is known of the luns is given.
#pragma once

#include <vector>

#include "workloads/io/io_job.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {

// A lun as it was found; by index of ParameterSet::sds.
struct Lun {
  std::string path;
  std::uint64_t size = 0;  // bytes that are there
  bool device = false;     // below /dev: its first block is never touched
};

struct RawRunInput {
  const ParameterSet& set;
  const PlannedRun& run;
  const std::vector<Lun>& luns;
  const std::vector<std::uint32_t>& first_slots;  // by index of ParameterSet::sds
  double measured_maximum = 0;                    // of the last run without a rate, for curves
  std::vector<std::uint32_t> key_blocks = {};     // key_block_sizes(), with data validation
};

// A run as it is executed.
struct RawRun {
  IoJob job;
  std::vector<std::string> workloads;  // names of WDs, by JobStream::workload
  std::vector<std::size_t> sds;        // indexes of ParameterSet::sds, by index of job.files
  double rate = 0;                     // asked for, per second; kMaxRate for none
  double max_bytes = 0, max_bytes_read = 0, max_bytes_written = 0;  // 0: no limit
};

Result<RawRun> raw_run_of(const RawRunInput& input);

// The run that writes files which are shorter than their SD says (all of them with formatsds=yes);
// nullopt when none is. Two I/Os in flight each.
Result<std::optional<RawRun>> format_run_of(const ParameterSet& set, const std::vector<Lun>& luns,
                                            const std::vector<std::uint32_t>& first_slots,
                                            const std::vector<bool>& used,
                                            const std::vector<std::uint32_t>& key_blocks = {});
inline constexpr const char* kFormatName = "SD_format";
inline constexpr unsigned kFormatThreads = 2;

// I/Os in flight on an SD in a run.
unsigned threads_of_sd(const StorageDefinition& sd, const PlannedRun& run);
// Bytes of an SD that are used.
std::uint64_t size_of_sd(const StorageDefinition& sd, const Lun& lun);
// By index of ParameterSet::sds: the smallest transfer of all runs, a format that may be needed
// included; 0 without data validation, and of an SD that no run uses. For KeyMapSpec, whose
// file_size is size_of_sd(); a job's key_map is the same index.
std::vector<std::uint32_t> key_block_sizes(const Plan& plan);
// Of all SDs in all runs, for KeyMaps::create.
std::uint64_t largest_transfer(const Plan& plan);
// Parameters of the load that are planned and not executed, each once: "priority" …
Names not_executed(const Plan& plan);

}  // namespace stallproof
