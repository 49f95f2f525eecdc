// SPDX-License-Identifier: Apache-2.0
// manifest.json of a run: who ran, in which boot and by which process, and how far it came. After a
// crash it and the line in the kernel log, which the vmcore holds, are what ties the two together.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/capture/stall_policy.h"
#include "harness/run/incident_record.h"
#include "harness/store/run_dir.h"

namespace stallproof {

enum class RunStage { running, crashing, ended };

struct ManifestFacts {
  std::string run, directory, policy, started;
  std::map<std::string, std::string> labels;
  std::optional<RunThresholds> thresholds;  // the run may end without a verdict that has them
  RunStage stage = RunStage::running;
  const IncidentRecord* incident = nullptr;  // the one it is crashed for
};

ManifestFacts manifest_of(const RunDir& run, OnStall policy, RunStage stage);

// Asks who we are: the calling process is the one that the run ends with.
std::string manifest_json(const ManifestFacts& facts);
// "stallproof: run=ID boot=BOOT_ID", and of an incident " incident=001 class=CLASS".
std::string manifest_line(const ManifestFacts& facts);

}  // namespace stallproof
