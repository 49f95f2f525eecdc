// SPDX-License-Identifier: Apache-2.0
// Makes the Verdict of a reproduction from what it saw. Reads the board and the watchdog's health,
// judges through judge_repro(); no side effects.
#pragma once

#include "harness/run/repro_run.h"

namespace stallproof {

struct VerdictInput {
  const ReproOptions& options;
  const LabPlan& plan;
  const ReproState& state;
  const IncidentBook& book;
  const SecondSampler& sampler;
  const Lab& lab;
  const CapturesEntry& captures;
  const std::string& run_id;
  const std::string& unsaved;  // first file that could not be written
};

Verdict make_verdict(const VerdictInput& input);

}  // namespace stallproof
