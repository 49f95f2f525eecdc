// SPDX-License-Identifier: Apache-2.0
// What the runs of a parameter file are made from, but for the file: its luns as they are found,
// and the loads as the watchdog counts them. Looks at luns as lun_look.h does. Controller.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/run/vdbench/io_lab.h"
#include "harness/run/vdbench/vdbench_options.h"
#include "workloads/vdbench/plan.h"
#include "workloads/vdbench/raw_job.h"

namespace stallproof {

// Which SDs any run uses, and which of them any run writes to.
struct SdUse {
  std::vector<bool> used, written;
};
SdUse sd_use(const Plan& plan);

struct Ground {
  std::vector<Lun> luns;                   // by SD
  std::vector<std::uint32_t> first_slots;  // by SD
  std::vector<IoLab::Load> loads;
};
// `canary`: whose loads need room on the board as well; null where there is none.
Result<Ground> ground_of(const VdbenchOptions& options, const Plan& plan, const CanaryPlan* canary);

// Of all luns or anchors that are used.
std::vector<std::string> paths_of(const Plan& plan, const Ground& ground);

}  // namespace stallproof
