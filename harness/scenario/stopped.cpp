// SPDX-License-Identifier: Apache-2.0
// The program was stopped by a signal, as by a debugger or Ctrl-Z: nothing is wrong with what it
// works on.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"stopped", "SIGSTOP of the load"},
                               Named{"brief", "it is continued after 300 ms", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "4", "threads that do direct I/O"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "stopped";
  lab.usual_signatures = {"stopped:load>signal"};
  lab.service = false;
  lab.injector = "own-disk";
  lab.arming = Arming::stop_worker;
  lab.loads.push_back({"direct-io", *threads});
  lab.worker.set("io-file-size", "16MiB");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kStopped;
const Scenario kStopped{.id = "stopped",
                        .summary = "the load is stopped by a signal",
                        .where = "host",
                        .expected_class = "stopped",
                        .variants = kVariants,
                        .fixes = {},
                        .params = kParams,
                        .plan = plan};

}  // namespace stallproof
