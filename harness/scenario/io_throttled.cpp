// SPDX-License-Identifier: Apache-2.0
// No file system and no disk is at fault: the cgroup of the program allows it so few bytes a second
// that none of its I/Os gets through for seconds. The I/Os wait in a queue above the device, which
// is idle.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"throttled", "4 KiB a second for I/Os of 128 KiB"},
    Named{"slow", "4 MiB a second: slower than before, and it goes on", true},
    Named{"brief", "throttled, but for 300 ms", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "8", "threads that do direct I/O"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "throttled";
  lab.usual_signatures = {"throttled:request>io_limit"};
  lab.service = false;
  lab.injector = "throttle-disk";
  lab.arming = Arming::injection;
  lab.loads.push_back({"direct-io", *threads});
  lab.worker.set("io-size", "128KiB");
  lab.worker.set("io-file-size", "32MiB");
  lab.injector_words.set("disk-rate", request.variant == "slow" ? "4MiB" : "4KiB");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kIoThrottled;
const Scenario kIoThrottled{.id = "io-throttled",
                            .summary = "the cgroup of the load lets no I/O through",
                            .where = "host",
                            .expected_class = "throttled",
                            .variants = kVariants,
                            .fixes = {},
                            .params = kParams,
                            .plan = plan};

}  // namespace stallproof
