// SPDX-License-Identifier: Apache-2.0
// Must stay quiet: a load that does next to nothing because it is not asked to do more. Nothing
// completes for longer than any stall lasts, and nothing is in flight.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"every-three-seconds", "one direct I/O every 3 s", true}};
constexpr std::array kParams{
    kWarmupParameter, ScenarioParameter{"threads", "1", "threads that do direct I/O"},
    ScenarioParameter{"every", "3s", "from one I/O of a thread to its next"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  const auto every = request.params.duration("every", 0);
  if (!every) return Failure(every.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "none";
  lab.service = false;
  lab.injector = "own-disk";
  lab.arming = Arming::load_itself;
  lab.steady = false;
  lab.loads.push_back({"direct-io", *threads});
  lab.worker.set("io-file-size", "16MiB");
  lab.worker.set("io-every", request.params.text("every", ""));
  return lab;
}

}  // namespace

extern const Scenario kControlRateLimitedIdle;
const Scenario kControlRateLimitedIdle{.id = "control-rate-limited-idle",
                                       .summary = "quiet control: one I/O every few seconds",
                                       .where = "host",
                                       .expected_class = "none",
                                       .variants = kVariants,
                                       .fixes = {},
                                       .params = kParams,
                                       .plan = plan};

}  // namespace stallproof
