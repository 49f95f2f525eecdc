// SPDX-License-Identifier: Apache-2.0
// The journal of an ext4 cannot commit, because the device under it answers nothing: whoever wants
// a change of the file system on disk waits for the journal's thread, and is never seen at the
// device himself.
#include <array>

#include "harness/scenario/scenario.h"
#include "harness/scenario/victim_params.h"

namespace stallproof {
namespace {

constexpr std::array kVariants{
    Named{"suspended", "the device under the file system is suspended and stays so"},
    Named{"brief", "it is resumed after 300 ms", true}};
constexpr std::array kParams{
    kWarmupParameter,
    ScenarioParameter{"threads", "4", "threads that change a file of their own and fsync it"}};

Result<LabPlan> plan(const ScenarioRequest& request) {
  const auto warmup = read_warmup(request.params);
  if (!warmup) return Failure(warmup.error());
  const auto threads = read_threads(request.params, 1);
  if (!threads) return Failure(threads.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.has_hazard = false;
  lab.expected_class = "journal_stuck";
  lab.expected_signatures = {"journal_stuck:request>journal>device_suspended"};
  lab.expected_root = "jbd2/*";
  lab.service = false;
  lab.injector = "dm-disk";
  lab.injector_words.set("dm-disk", "ext4");
  lab.arming = Arming::injection;
  lab.needs = {{"/dev/mapper/control", "device-mapper", "modprobe dm_mod"},
               {"/dev/loop-control", "loop devices", "modprobe loop"},
               {"/sys/fs/ext4", "ext4", "modprobe ext4"}};
  lab.loads = {{"journal-sync", *threads}};
  if (request.variant == "brief") lab.healed_after = kBrieflyNs;
  return lab;
}

}  // namespace

extern const Scenario kJbd2Commit;
const Scenario kJbd2Commit{.id = "jbd2-commit",
                           .summary = "a journal commit that never ends, under a suspended device",
                           .where = "VM",
                           .expected_class = "journal_stuck",
                           .variants = kVariants,
                           .fixes = {},
                           .params = kParams,
                           .plan = plan};

}  // namespace stallproof
