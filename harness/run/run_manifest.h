// SPDX-License-Identifier: Apache-2.0
// manifest.json of a run that may crash its machine: who ran, in which boot, and how far it came.
// After a crash it and the line in the kernel log, which the vmcore holds, are what ties the two
// together.
#pragma once

#include <string>

#include "harness/run/incident_record.h"

namespace stallproof {

enum class RunStage { running, crashing, ended };

struct ManifestFacts {
  std::string run, directory, policy;
  RunStage stage = RunStage::running;
  const IncidentRecord* incident = nullptr;  // the one it is crashed for
};

std::string manifest_json(const ManifestFacts& facts);
// "stallproof: run=ID boot=BOOT_ID", and of an incident " incident=001 class=CLASS".
std::string manifest_line(const ManifestFacts& facts);

}  // namespace stallproof
