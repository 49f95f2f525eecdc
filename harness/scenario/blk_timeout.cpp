// SPDX-License-Identifier: Apache-2.0
// A disk that takes longer for an I/O than the block layer allows: the limit passes, the driver is
// told, and all the while the I/O is in flight and its caller waits.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"timeout", "an I/O takes 3 s, and times out after 1 s"},
                               Named{"slow", "an I/O takes 300 ms, well below the limit", true}};
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
  lab.usual_signatures = {"device_stuck:request>device"};
  lab.marks = {"device:dm-|device:nullb"};
  lab.service = false;
  lab.injector = "null-disk";
  lab.arming = Arming::injection;
  lab.needs = {{"/sys/kernel/config/nullb", "null_blk and configfs",
                "modprobe null_blk nr_devices=0 && mount -t configfs none /sys/kernel/config"},
               {"/dev/mapper/control", "device-mapper", "modprobe dm_mod"}};
  lab.loads = {{"device-io", *threads}};
  const bool slow = request.variant == "slow";
  lab.injector_words.set("slow-answer", slow ? kBriefly : "3s");
  if (!slow) lab.injector_words.set("slow-limit", "1s");
  return lab;
}

}  // namespace

extern const Scenario kBlkTimeout;
const Scenario kBlkTimeout{.id = "blk-timeout",
                           .summary = "a disk that answers later than the block layer allows",
                           .where = "VM",
                           .expected_class = "device_stuck",
                           .variants = kVariants,
                           .fixes = {},
                           .params = kParams,
                           .plan = plan};

}  // namespace stallproof
