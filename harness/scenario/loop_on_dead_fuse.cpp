// SPDX-License-Identifier: Apache-2.0
// A disk whose far end is a process: a loop device on a file of a FUSE server that is stopped. The
// I/O is in flight in the device, a kernel worker waits for the server, and the program sees a disk
// that does not answer.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"stopped", "the server of the file under the loop device is stopped (SIGSTOP)"},
    Named{"stopped-briefly", "it is stopped for 300 ms", true}};
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
  // Whether its worker is seen to wait depends on how far it came.
  lab.usual_signatures = {"device_stuck:request>device>service_stopped",
                          "device_stuck:request>device"};
  lab.injector = "loop-file";
  lab.arming = Arming::stop_service;
  lab.loads.push_back({"device-io", *threads});
  lab.ffs.set("writable", "yes");
  lab.ffs.set("store-size", "96MiB");  // the loop device's file, on machines of 1 GiB too
  if (request.variant == "stopped-briefly") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kLoopOnDeadFuse;
const Scenario kLoopOnDeadFuse{.id = "loop-on-dead-fuse",
                               .summary = "a loop device on a file whose FUSE server is stopped",
                               .where = "host",
                               .expected_class = "device_stuck",
                               .variants = kVariants,
                               .fixes = {},
                               .params = kParams,
                               .plan = plan};

}  // namespace stallproof
