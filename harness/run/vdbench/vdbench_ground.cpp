// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/vdbench_ground.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/run/vdbench/lun_look.h"
#include "workloads/vdbench/file_job_of_run.h"
#include "workloads/vdbench/plan_parts.h"

namespace stallproof {
namespace {

// Where the SD is on this machine.
std::string lun_of(const ParameterSet& set, const StorageDefinition& sd) {
  for (const HostDefinition& host : set.hosts) {
    const auto found = host.luns.find(sd.name);
    if (found != host.luns.end()) return found->second;
  }
  return sd.luns.empty() ? "" : sd.luns.front();
}

// A load for each SD, or, where there are more than the board holds, for some neighbours together.
std::vector<IoLab::Load> loads_of(const Plan& plan, const SdUse& use, const std::vector<Lun>& luns,
                                  std::size_t most_loads, std::vector<std::uint32_t>& first_slots) {
  std::vector<std::size_t> sds;
  for (std::size_t i = 0; i < use.used.size(); ++i)
    if (use.used[i]) sds.push_back(i);
  const std::size_t each = (sds.size() + most_loads - 1) / most_loads;
  std::vector<IoLab::Load> loads;
  std::uint32_t slots = 0;
  first_slots.assign(use.used.size(), 0);
  for (std::size_t at = 0; at < sds.size(); ++at) {
    const StorageDefinition& sd = plan.set.sds[sds[at]];
    unsigned most = kFormatThreads;
    for (const PlannedRun& run : plan.runs) most = std::max(most, threads_of_sd(sd, run));
    first_slots[sds[at]] = slots;
    slots += most;
    if (at % each == 0) {
      loads.push_back({sd.name, most, luns[sds[at]].path});
    } else {
      loads.back().target.clear();
      loads.back().threads += most;
      loads.back().name =
          loads.back().name.substr(0, loads.back().name.find("..")) + ".." + sd.name;
    }
  }
  return loads;
}

Result<std::vector<Lun>> find_luns(const VdbenchOptions& options, const Plan& plan,
                                   const SdUse& use) {
  std::vector<LunQuestion> questions;
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i) {
    const StorageDefinition& sd = plan.set.sds[i];
    const std::string path = lun_of(plan.set, sd);
    if (use.used[i] && path.empty())
      return fail(fmt::format("sd={}: no lun= on this machine", sd.name));
    if (use.used[i])
      questions.push_back({sd.name, path, use.written[i] || sd.size > 0, sd.size > 0});
  }
  auto looked = look_at_luns(questions, options.allow_claimed);
  if (!looked) return looked;
  std::vector<Lun> luns;
  std::size_t next = 0;
  for (std::size_t i = 0; i < plan.set.sds.size(); ++i)
    luns.push_back(use.used[i] ? (*looked)[next++] : Lun{});
  return luns;
}

}  // namespace

SdUse sd_use(const Plan& plan) {
  SdUse use{std::vector<bool>(plan.set.sds.size()), std::vector<bool>(plan.set.sds.size())};
  for (const PlannedRun& run : plan.runs) {
    const double loop = value_of(run.loops, "rdpct");
    for (const RawWorkload& workload : *run.workloads)
      for (const std::size_t sd : workload.sds) {
        use.used[sd] = true;
        const double reads = std::isnan(loop) ? workload.wd.read_percent : loop;
        use.written[sd] = use.written[sd] || reads < 100;
      }
  }
  return use;
}

Result<Ground> ground_of(const VdbenchOptions& options, const Plan& plan,
                         const CanaryPlan* canary) {
  Ground ground;
  if (plan.file_systems) {
    unsigned most = 1;
    for (const PlannedRun& run : plan.runs) {
      const auto made = file_run_of({.set = plan.set, .run = run});
      if (!made) return Failure(made.error());
      most = std::max(most, made->job.slots());
    }
    ground.loads = {{"files", most}};
    if (plan.set.fsds.size() == 1) ground.loads[0].target = plan.set.fsds[0].anchor;
    return ground;
  }
  const SdUse use = sd_use(plan);
  auto luns = find_luns(options, plan, use);
  if (!luns) return Failure(luns.error());
  ground.luns = std::move(*luns);
  const std::size_t taken = canary != nullptr ? canary->lab.loads.size() : 0;
  ground.loads = loads_of(plan, use, ground.luns, kMaxLoads - taken, ground.first_slots);
  return ground;
}

std::vector<std::string> paths_of(const Plan& plan, const Ground& ground) {
  std::vector<std::string> paths;
  for (const Lun& lun : ground.luns)
    if (!lun.path.empty()) paths.push_back(lun.path);
  for (const FileSystemDefinition& fsd : plan.set.fsds) paths.push_back(fsd.anchor);
  return paths;
}

}  // namespace stallproof
