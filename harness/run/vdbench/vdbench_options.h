// SPDX-License-Identifier: Apache-2.0
// What the command line says about a vdbench run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/capture/stall_policy.h"
#include "harness/detect/detector.h"
#include "harness/run/canary_plan.h"
#include "harness/sink/run_feed.h"
#include "workloads/io/io_job.h"
#include "workloads/vdbench/plan.h"

namespace stallproof {

struct VdbenchOptions {
  std::vector<std::string> files;   // -f
  std::vector<std::string> values;  // name=value
  PlanOptions plan;
  std::string out;  // directory for everything
  IoEngine engine = IoEngine::psync;
  bool jvm = true;
  bool lenient = false;        // what is planned and not executed is told and left out
  bool allow_claimed = false;  // a device that is mounted or otherwise in use
  // vdbench's own exit codes, 0 and 157; else those of a verdict.
  bool vdbench_codes = true;
  Thresholds thresholds{.fail_after = 30 * kSecond};
  CanaryWish canary = CanaryWish::as_planned;  // then: where the runs last for kCanaryFrom
  StallPolicy policy;
  bool json = false;
  std::map<std::string, std::string> labels;
  std::vector<std::string> fs_files;
  const RunFeed* feed = nullptr;  // who listens
  // What each load works on, for those who listen; found out when the run begins.
  std::map<std::string, std::string> targets = {};
};

}  // namespace stallproof
