// SPDX-License-Identifier: Apache-2.0
// One reproduction from start to verdict: healthy warm-up, arming, stall (or quiet until the
// deadline), explanation, healing. Controller, main thread. Blocks until it is over; every wait has
// a deadline, so it ends even when nothing that it started can be ended.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/capture/stall_policy.h"
#include "harness/detect/detector.h"
#include "harness/explain/fs_knowledge.h"
#include "harness/run/repro_outcome.h"
#include "harness/scenario/scenario.h"
#include "harness/sink/console.h"
#include "harness/sink/run_feed.h"

namespace stallproof {

struct ReproOptions {
  std::string scenario;
  ScenarioRequest request;
  Expectation expectation = Expectation::none;
  std::optional<Nanos> deadline;  // armed load may run this long; 10 s, with hold 10 min
  Thresholds thresholds;
  bool hold = false;
  StallPolicy policy;
  std::string out;
  std::map<std::string, std::string> labels;
  std::vector<std::string> fs_files;
  const RunFeed* feed = nullptr;  // who listens
};

// The exit code of the command. Errors are those that no verdict could be given for.
Result<int> run_repro(const ReproOptions& options, Console& console);

}  // namespace stallproof
