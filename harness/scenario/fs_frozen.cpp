// SPDX-License-Identifier: Apache-2.0
// A file system is frozen, as for a snapshot, and nobody thaws it: whoever changes it waits, in
// calls, in direct writes and in page faults alike; who only reads goes on, statfs too.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{Named{"frozen", "the file system is frozen and stays so"},
                               Named{"brief", "it is thawed after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{
        "threads", "4",
        "threads for each of the loads: direct I/O, page faults, files made and removed"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "fs_frozen";
  lab.usual_signatures = {"fs_frozen:write>frozen_fs"};
  lab.service = false;
  lab.injector = "freeze-disk";
  lab.arming = Arming::injection;
  lab.own_files = true;
  for (const char* load : {"direct-io", "mapped-fault", "file-churn"})
    lab.loads.push_back({load, *threads});
  lab.worker.set("io-read-percent", "50");
  lab.worker.set("io-file-size", "16MiB");
  lab.worker.set("file-size", "16MiB");
  lab.worker.set("fault-writes", "50");
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kFsFrozen;
const Scenario kFsFrozen{.id = "fs-frozen",
                         .summary = "a frozen file system: everybody who writes waits",
                         .where = "host",
                         .expected_class = "fs_frozen",
                         .variants = kVariants,
                         .fixes = {},
                         .params = kParams,
                         .plan = plan};

}  // namespace stallproof
