// SPDX-License-Identifier: Apache-2.0
// The program is frozen by its cgroup, as for a checkpoint or by a container that is paused. By
// version 1 its tasks are in D, and so look like tasks that wait for a disk.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"frozen", "by the freezer of cgroup version 1 where there is one, else 2"},
    Named{"frozen-v2", "by cgroup version 2"}, Named{"brief", "thawed after 300 ms", true}};
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
  lab.expected_class = "frozen";
  lab.usual_signatures = {"frozen:load>freezer"};
  lab.service = false;
  lab.injector = "freeze-process";
  lab.arming = Arming::injection;
  lab.loads.push_back({"direct-io", *threads});
  lab.worker.set("io-file-size", "16MiB");
  if (request.variant == "frozen-v2") lab.injector_words.set("hierarchy", "v2");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kFrozenCgroup;
const Scenario kFrozenCgroup{.id = "frozen-cgroup",
                             .summary = "the load is frozen by its cgroup",
                             .where = "host",
                             .expected_class = "frozen",
                             .variants = kVariants,
                             .fixes = {},
                             .params = kParams,
                             .plan = plan};

}  // namespace stallproof
