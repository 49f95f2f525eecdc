// SPDX-License-Identifier: Apache-2.0
// A device-mapper device is suspended and nobody resumes it: what a snapshot, a table change or
// multipath without a path leaves behind. No counter of the device shows that I/O is in flight.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"suspended", "the device is suspended and stays so"},
                               Named{"brief", "it is resumed after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "4", "threads that do direct I/O on the device"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "device_stuck";
  lab.expected_signatures = {"device_stuck:request>device_suspended"};
  lab.service = false;
  lab.injector = "dm-disk";
  lab.arming = Arming::injection;
  lab.needs = {{"/dev/mapper/control", "device-mapper", "modprobe dm_mod"},
               {"/dev/loop-control", "loop devices", "modprobe loop"}};
  lab.loads = {{"device-io", *threads}};
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kDmSuspended;
const Scenario kDmSuspended{.id = "dm-suspended",
                            .summary = "a device-mapper device that is suspended",
                            .where = "VM",
                            .expected_class = "device_stuck",
                            .variants = kVariants,
                            .fixes = {},
                            .params = kParams,
                            .plan = plan};

}  // namespace stallproof
