// SPDX-License-Identifier: Apache-2.0
// Must stay quiet: threads in D for most of their time, each in a vfork that is going to end.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"slow-children", "vfork whose children sleep for 400 ms: the parents are in D", true}};
constexpr std::array kParams{kWarmupParameter,
                             ScenarioParameter{"threads", "4", "threads that call vfork"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.service = false;
  lab.arming = Arming::load_itself;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "none";
  lab.loads.push_back({"vfork-wait", *threads});
  return lab;
}

}  // namespace

extern const Scenario kControlVfork;
const Scenario kControlVfork{.id = "control-vfork",
                             .summary = "quiet control: vfork parents in D",
                             .where = "host",
                             .expected_class = "none",
                             .variants = kVariants,
                             .fixes = {},
                             .params = kParams,
                             .plan = plan};

}  // namespace stallproof
