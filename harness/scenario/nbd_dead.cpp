// SPDX-License-Identifier: Apache-2.0
// A network block device whose server no longer answers, while the connection stands: nothing
// fails, and without a time-out of the device nothing ever will.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"silent", "the server takes requests and answers none"},
                               Named{"brief", "it answers again after 300 ms", true}};
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
  lab.expected_signatures = {"device_stuck:request>device"};
  lab.marks = {"device:nbd"};
  lab.service = false;
  lab.injector = "nbd-disk";
  lab.arming = Arming::injection;
  lab.needs = {{"/sys/module/nbd", "the module nbd", "modprobe nbd"}};
  lab.loads = {{"device-io", *threads}};
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kNbdDead;
const Scenario kNbdDead{.id = "nbd-dead",
                        .summary = "a network block device whose server falls silent",
                        .where = "VM",
                        .expected_class = "device_stuck",
                        .variants = kVariants,
                        .fixes = {},
                        .params = kParams,
                        .plan = plan};

}  // namespace stallproof
