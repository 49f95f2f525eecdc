// SPDX-License-Identifier: Apache-2.0
// The program is not blocked, it is not run: its cgroup may use a thousandth of a CPU. Its threads
// are runnable, and what they are in the midst of does not get done.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"starved", "1 ms of CPU time a second for all threads together"},
    Named{"half", "half a CPU: slower than before, and it goes on", true},
    Named{"brief", "starved, but for 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "4", "threads that read and verify what is in the page cache"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "cpu_starved";
  lab.usual_signatures = {"cpu_starved:load>cpu_quota"};
  lab.service = false;
  lab.injector = "cpu-quota";
  lab.arming = Arming::injection;
  lab.loads.push_back({"cached-verify", *threads});
  lab.injector_words.set("cpu-quota", request.variant == "half" ? "500ms" : "1ms");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kCpuStarved;
const Scenario kCpuStarved{
    .id = "cpu-starved",
    .summary = "the cgroup of the load lets it run for a thousandth of the time",
    .where = "host",
    .expected_class = "cpu_starved",
    .variants = kVariants,
    .fixes = {},
    .params = kParams,
    .plan = plan};

}  // namespace stallproof
